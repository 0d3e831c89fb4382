-- Gives locks back; what is held under another value stays as it is.
-- KEYS    the locks
-- ARGV    a value for each
-- Returns how many locks were given back
local released = 0
for index, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[index] then released = released + redis.call('DEL', key) end
end
return released

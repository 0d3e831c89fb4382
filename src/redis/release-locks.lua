-- Gives locks back; somebody else's stay, of whatever type.
-- KEYS: the locks. ARGV: the value of each, in the order of the keys.
-- Returns 0.
for index, key in ipairs(KEYS) do
  if redis.pcall('GET', key) == ARGV[index] then
    redis.call('DEL', key)
  end
end
return 0

-- Gives locks another life, and puts back those that are gone; what is held under another value stays as it is.
-- KEYS    the locks
-- ARGV    for each its value and its life in milliseconds
-- Returns how many locks stand under their value now
local standing = 0
for index, key in ipairs(KEYS) do
  local value, life = ARGV[2 * index - 1], ARGV[2 * index]
  local holder = redis.call('GET', key)
  if holder == value then
    redis.call('PEXPIRE', key, life)
  elseif not holder then
    redis.call('SET', key, value, 'PX', life)
  end
  if not holder or holder == value then standing = standing + 1 end
end
return standing

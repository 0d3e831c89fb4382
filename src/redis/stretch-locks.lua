-- Sets how long locks live, and puts back those that are gone; somebody else's stay as they are, of whatever type.
-- KEYS: the locks. ARGV: for each, in the order of the keys, its value and its life, milliseconds.
-- Returns 0.
for index, key in ipairs(KEYS) do
  local value, life = ARGV[2 * index - 1], ARGV[2 * index]
  local standing = redis.pcall('GET', key)
  if standing == value then
    redis.call('PEXPIRE', key, life)
  elseif not standing then
    redis.call('SET', key, value, 'PX', life)
  end
end
return 0

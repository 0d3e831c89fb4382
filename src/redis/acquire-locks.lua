-- Takes locks that nobody has. Every lock of ours is a text with an end; what is not stands in the way for ever and was
-- written by nobody of ours: it is removed.
-- KEYS: the locks. ARGV: how long they live, milliseconds; then the value for each, in the order of the keys.
-- Returns the value under which each lock is held now: the one given where it was free, else somebody else's.
local function take(key, value)
  return redis.call('SET', key, value, 'PX', ARGV[1], 'NX')
end

local standing = {}
for index, key in ipairs(KEYS) do
  local value = ARGV[index + 1]
  local taken = take(key, value)
  if not taken and (redis.call('TYPE', key).ok ~= 'string' or redis.call('PTTL', key) == -1) then
    redis.call('UNLINK', key)
    taken = take(key, value)
  end
  standing[index] = taken and value or redis.call('GET', key)
end
return standing

-- Changes locks, one after the other.
-- KEYS: the lock of each change. ARGV: for each, in the order of the keys, what is to be done, the lock's value, and its
-- life in milliseconds:
--   take     takes a lock that nobody has. Every lock of ours is a text with an end; what is not stands in the way for ever
--            and was written by nobody of ours: it is removed.
--   stretch  sets how long the lock lives, and puts back one that is gone.
--   release  gives it back; its life does not matter.
-- Somebody else's lock stays as it is, of whatever type.
-- Returns for each change the value under which the lock is held where it was to be taken: the one given where it was free,
-- else somebody else's; an empty text for the others.
local function set(key, value, life)
  return redis.call('SET', key, value, 'PX', life, 'NX')
end

local change = {}

function change.take(key, value, life)
  local taken = set(key, value, life)
  if not taken and (redis.call('TYPE', key).ok ~= 'string' or redis.call('PTTL', key) == -1) then
    redis.call('UNLINK', key)
    taken = set(key, value, life)
  end
  return taken and value or redis.call('GET', key)
end

function change.stretch(key, value, life)
  local standing = redis.pcall('GET', key)
  if standing == value then
    redis.call('PEXPIRE', key, life)
  elseif not standing then
    -- A full Redis must not keep the changes behind this one from being made.
    redis.pcall('SET', key, value, 'PX', life)
  end
  return ''
end

function change.release(key, value)
  if redis.pcall('GET', key) == value then
    redis.call('DEL', key)
  end
  return ''
end

local standing = {}
for index, key in ipairs(KEYS) do
  local what, value, life = ARGV[3 * index - 2], ARGV[3 * index - 1], ARGV[3 * index]
  standing[index] = change[what](key, value, life)
end
return standing

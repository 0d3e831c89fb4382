-- Takes locks that nobody has, each for itself.
-- KEYS    the locks
-- ARGV    their life in milliseconds, then a value for each
-- Returns for each lock nil where it was taken, else the value it is held under
local answers = {}
for index, key in ipairs(KEYS) do
  if redis.call('SET', key, ARGV[index + 1], 'NX', 'PX', ARGV[1]) then
    answers[index] = false
  else
    answers[index] = redis.call('GET', key)
  end
end
return answers

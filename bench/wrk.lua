-- The load: POST one body, each request with the next client key of a file, and print the result as one JSON line.
-- Arguments after `--`: the body's file, the file of client keys (one a line), then headers as "Name: value".
local prefix, suffix, keys, index = "", "", {}, 0

function init(args)
  local body = io.open(args[1], "rb"):read("*a")
  for line in io.lines(args[2]) do keys[#keys + 1] = line end
  local headers = {["Content-Type"] = "application/json", ["Authorization"] = "Bearer @KEY@"}
  for i = 3, #args do
    local name, value = args[i]:match("^([^:]+):%s*(.*)$")
    headers[name] = value
  end
  local request = wrk.format("POST", nil, headers, body)
  local from, to = request:find("@KEY@", 1, true)
  prefix, suffix = request:sub(1, from - 1), request:sub(to + 1)
end

function request()
  index = index % #keys + 1
  return prefix .. keys[index] .. suffix
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"micros":%d,"p50_us":%d,"p99_us":%d,"max_us":%d,"not_2xx":%d,"socket_errors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max, e.status,
    e.connect + e.read + e.write + e.timeout))
end

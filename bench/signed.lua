-- The load of `wrk.lua` as signed requests (RFC 9421, hmac-sha256): one POST body, each request with a nonce of its own.
-- Arguments after `--`: the body's file, then a file with a line `NAME SIGNING-KEY-IN-HEX` for each client key.
local ffi = require("ffi")
ffi.cdef[[
  const void *EVP_sha256(void);
  unsigned char *HMAC(const void *md, const void *key, int key_len, const unsigned char *d, size_t n,
                      unsigned char *out, unsigned int *len);
  unsigned char *SHA256(const unsigned char *d, size_t n, unsigned char *out);
  int EVP_EncodeBlock(unsigned char *to, const unsigned char *from, int n);
  int RAND_bytes(unsigned char *buf, int num);
]]
local crypto = ffi.load("libcrypto.so.3")
local mac, text = ffi.new("unsigned char[32]"), ffi.new("unsigned char[64]")
local sha256 = crypto.EVP_sha256()
local names, keys, index, count = {}, {}, 0, 0
local body, content_digest, start, head, base

local function encoded(bytes)
  return ffi.string(text, crypto.EVP_EncodeBlock(text, bytes, 32))
end

function init(args)
  body = io.open(args[1], "rb"):read("*a")
  for line in io.lines(args[2]) do
    local name, hex = line:match("^(%S+) (%x+)$")
    names[#names + 1] = name
    keys[#keys + 1] = hex:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end)
  end
  crypto.SHA256(body, #body, mac)
  content_digest = "sha-256=:" .. encoded(mac) .. ":"
  crypto.RAND_bytes(mac, 32)
  start = encoded(mac):gsub("[^%w]", "x"):sub(1, 16)
  base = '"@method": POST\n"@path": ' .. wrk.path .. '\n"@query": ?\n"content-digest": ' .. content_digest
    .. '\n"@signature-params": '
  head = "POST " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.host .. "\r\nContent-Type: application/json\r\n"
    .. "Content-Digest: " .. content_digest .. "\r\nContent-Length: " .. #body .. "\r\n"
end

function request()
  index = index % #names + 1
  count = count + 1
  local parameters = '("@method" "@path" "@query" "content-digest");created=' .. os.time() .. ';nonce="' .. start .. count
    .. '";keyid="' .. names[index] .. '";alg="hmac-sha256"'
  local signed = base .. parameters
  crypto.HMAC(sha256, keys[index], 32, signed, #signed, mac, nil)
  return head .. "Signature-Input: sig=" .. parameters .. "\r\nSignature: sig=:" .. encoded(mac) .. ":\r\n\r\n" .. body
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"micros":%d,"p50_us":%d,"p99_us":%d,"max_us":%d,"not_2xx":%d,"socket_errors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max, e.status,
    e.connect + e.read + e.write + e.timeout))
end

-- One exchange of a member with a fund: `tests.cluster.oracle.central` says what it does, step by step, and why.
-- KEYS[1]: the fund. ARGV[1]: `Ask` as msgpack. Returns `Told` as msgpack. Integers below 2^53 only.
--
-- fund:   {version, epoch, state, at, open_ppm, opens, fresh, dims, members, flows}
-- dim:    {kind, limit, window_us, jitter_us, used, leased, level, at, brimmed, head, mid, tail, quarter, least, ring,
--          booked, own}; head and tail are flat lists of slot and units, mid of first slot, units and a packed list
--         own of a LOG: slots and units that members spent by themselves. Of a SUM from its first loss on: epoch, spent,
--         used, 0: what all had spent when `used` was that, as who was told last in that epoch (0: nobody yet, -1: not
--         all were told in one) says; then what others told since, each `used` and units
-- member: {name, heard, lease_us, demands, busy, odd, rest}, and, where rest is unpacked, from the eighth on {incarnation,
--          seq, leases, voided, lapsed, limits, answer, restored}; demands are packed; busy: it may hold something; odd:
--          it says another limit than the one in force
-- demands: {length of each, rank, flow, weight, calls, floor, since, units by dimension, rank, ...}, packed one by one:
--          that is read in half the time of a list
-- flow:   {flow, rank, lead, granted, touched}

local floor, max, min = math.floor, math.max, math.min
local unroll = unpack
local pack, unpack = cmsgpack.pack, cmsgpack.unpack

local BUCKET, LOG, SLOTS, SUM = 0, 1, 2, 3
local OK, LOST, LATE = 0, 1, 2
local FREE = 1000000
local LOTS = 4503599627370496
local EXACT = 1125899906842624
local MARGIN_US = STALE_US
local LINGER_US, FORGET_US, HOUR_US, QUARTER_US = 60000000, 900000000, 3600000000, 250000
local SLOTS_OF_LOG, CHUNK, QUARTERS, OWN = 598, 64, 64, 128
local STEPS, LOOK, FLOWS, IDLE_US, UNIT, LARGEST = 256, 64, 256, 10000000, 64, 68719476736

local time = redis.call('TIME')
local now = tonumber(time[1]) * FREE + tonumber(time[2])

local function part(amount, ppm)
  if ppm == FREE then return amount end
  return floor(amount / FREE) * ppm + floor(amount % FREE * ppm / FREE)
end

-- dimensions ---------------------------------------------------------------------------------------------------------

local shapes = {}

local function shape(dim)  -- tick, window in ticks, capacity; of a log: length of a slot, span
  local known = shapes[dim]
  if known then return known[1], known[2], known[3] end
  if dim[1] == BUCKET then
    local tick, window = 1, dim[3]
    while dim[2] * -floor(-window / tick) >= EXACT and tick * 10 < window do tick = tick * 10 end
    local ticks = -floor(-window / tick)
    known = {tick, ticks, dim[2] * max(0, ticks + floor(-dim[4] / tick))}
    shapes[dim] = known
    return tick, ticks, known[3]
  end
  local span = dim[3] + dim[4]
  return max(1, -floor(-span / SLOTS_OF_LOG)), span, 0
end

-- All else is made inside: there, a function finds these words at once, and not among all that is local here.
local function main()

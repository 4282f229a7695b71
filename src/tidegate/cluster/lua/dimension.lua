-- One dimension: what is free, charged, corrected; what replies of the provider showed.

local function blank(said, full)
  local dim = {said[1], said[2], said[3], said[4], 0, 0, 0, 0, now, {}, {}, {}, 0, 0, '', 0, {}}
  if said[1] == BUCKET then
    local tick, _, capacity = shape(dim)
    dim[7] = full and capacity or 0
    dim[8] = floor(now / tick)
  elseif said[1] == SUM then
    dim[8] = said[13] or 0
  end
  return dim
end

local function owned(dim)
  local own = 0
  for i = 2, #dim[17], 2 do own = own + dim[17][i] end
  return own
end

local function free(dim, open, held, ticks)  -- units that may be granted
  if dim[2] == 0 then return LOTS end
  if dim[1] == BUCKET then return floor(dim[7] / ticks) end
  if dim[1] == SLOTS then return min(dim[2] - dim[6], part(dim[2], open) - held) end
  return part(dim[2], open) - dim[7] - dim[6] - owned(dim)
end

local function charge(dim, units)  -- beyond what was leased
  if dim[2] == 0 or units == 0 then return end
  local measure, ticks = shape(dim)
  if dim[1] == BUCKET then
    dim[7] = max(dim[7] - min(units, floor(LOTS / ticks)) * ticks, -LOTS)
  elseif dim[1] == LOG then
    log_add(dim, floor(now / measure), units)
  elseif dim[1] == SUM then
    dim[7] = dim[7] + units
  end
end

local function refill(dim, open)
  if dim[2] == 0 then return end
  local tick, ticks, capacity = shape(dim)
  if dim[1] == LOG then return log_expire(dim, tick, ticks) end
  if dim[1] ~= BUCKET then return end
  local top = part(capacity, open)
  local elapsed = floor(now / tick) - dim[8]
  if elapsed > 0 then
    dim[8] = dim[8] + elapsed
    dim[7] = dim[7] + part(min(elapsed, floor(LOTS / dim[2])) * dim[2], open)
  end
  if dim[7] + dim[6] * ticks >= floor(top * 3 / 4) then dim[9] = now end
  if dim[7] > top - dim[6] * ticks then dim[7] = max(top - dim[6] * ticks, min(dim[7], 0)) end
end

local function resize(dim, limit, said, open)  -- what a bucket got back since is by the smaller of both limits
  if dim[2] == limit and dim[3] == said[3] and dim[4] == said[4] then return end
  local same = dim[3] == said[3]
  if dim[1] == BUCKET and same and dim[2] < limit then refill(dim, open) end
  local before, window, capacity = shape(dim)
  local was = dim[2]
  dim[2], dim[3], dim[4] = limit, said[3], said[4]
  shapes[dim] = nil
  if dim[1] == BUCKET then
    local left = floor(dim[7] / window)
    local tick
    tick, window, capacity = shape(dim)
    local top = capacity - dim[6] * window
    dim[7] = was == 0 and top or max(min(left * window, top), -LOTS)
    dim[8] = was > 0 and same and -floor(-dim[8] * before / tick) or floor(now / tick)
  elseif dim[1] == LOG then
    local all = log_all(dim)
    local slot_us = shape(dim)
    if slot_us ~= before then
      for i = 1, #all, 2 do all[i] = floor(((all[i] + 1) * before - 1) / slot_us) end
      log_set(dim, all)
    end
  end
end

local function correct(dim, age, delta)
  if dim[2] == 0 then return end
  local at = now - age - (delta < 0 and MARGIN_US or 0)
  local measure, ticks, capacity = shape(dim)
  if dim[1] == BUCKET then
    if delta > 0 then
      charge(dim, delta)
    elseif at >= dim[9] then
      dim[7] = min(dim[7] + min(-delta, floor(LOTS / ticks)) * ticks, max(dim[7], capacity - dim[6] * ticks))
    end
  elseif dim[1] == LOG then
    local slot = floor(at / measure)
    if (slot + 1) * measure + ticks > now then
      log_add(dim, slot, delta)
    elseif delta > 0 then
      charge(dim, delta)
    end
  elseif dim[1] == SUM then
    dim[7] = max(-owned(dim), dim[7] + delta)
  end
end

local function watch(dim, left)  -- the least that was left in each quarter of a second
  local quarter = floor(now / QUARTER_US)
  if dim[13] == quarter then
    dim[14] = min(dim[14], left)
    return
  end
  if dim[13] > 0 then
    local ring = dim[15] == '' and {} or unpack(dim[15])
    ring[#ring + 1] = dim[13]
    ring[#ring + 1] = dim[14]
    while #ring > 2 * QUARTERS do
      table.remove(ring, 1)
      table.remove(ring, 1)
    end
    dim[15] = pack(ring)
  end
  dim[13], dim[14] = quarter, left
end

local function witness(dim, shown, age, noise, left)
  local quarter, since = floor(now / QUARTER_US), floor((now - age) / QUARTER_US)
  if dim[13] == 0 or dim[16] == quarter then return end
  local least, known = min(left, dim[14]), dim[13] <= since
  if not known and dim[15] ~= '' then
    local ring = unpack(dim[15])
    for i = #ring - 1, 1, -2 do
      least = min(least, ring[i + 1])
      known = ring[i] <= since
      if known then break end
    end
  end
  if known and shown + noise < least then
    dim[16] = quarter
    charge(dim, least - shown)
  end
end

-- The fund: leases that are void, new epochs, what members remember, what they say of their leases.

local function whole(member)  -- with what only its own exchanges need
  if member[7] then
    for i, field in ipairs(unpack(member[7])) do member[7 + i] = field end
    member[7] = false
  end
  return member
end

local function void(fund, member)  -- what it holds counts as spent
  whole(member)
  member[5] = 0
  for d, dim in ipairs(fund[8]) do
    local held = member[10][d] or 0
    if dim[1] ~= SLOTS and held > 0 then
      dim[6] = dim[6] - held
      dim[5] = dim[5] + held
      member[10][d], member[11][d], member[12] = 0, (member[11][d] or 0) + held, 1
      if dim[1] ~= BUCKET then charge(dim, held) end
    end
  end
end

local function give_slots_back(fund, member)
  whole(member)
  for d, dim in ipairs(fund[8]) do
    if dim[1] == SLOTS then
      dim[6] = dim[6] - (member[10][d] or 0)
      member[10][d] = 0
    end
  end
end

local function drop(fund, at)
  void(fund, fund[9][at])
  give_slots_back(fund, fund[9][at])
  table.remove(fund[9], at)
end

local function begin(fund, ask, opens)  -- a new epoch: nobody holds anything, buckets are empty
  while #fund[9] > 0 do drop(fund, #fund[9]) end
  for _, dim in ipairs(fund[8]) do
    if dim[1] == BUCKET then dim[7] = min(dim[7], 0) end
    dim[13], dim[14], dim[15] = 0, 0, ''
  end
  fund[2], fund[3], fund[6], fund[7] = max(now, fund[2] + 1, ask[4] + 1), ask[8], opens, 0
end

local function found(ask, full, opens)
  local dims = {}
  for d, said in ipairs(ask[9]) do dims[d] = blank(said, full) end
  return {1, max(now, ask[4] + 1), ask[8], now, ask[7], opens, full and 1 or 0, dims, {}, {}}
end

local function recall(dim, told, measure)  -- whatever age, what is younger is not less than either knows
  local all, known, theirs, order, merged = log_all(dim), {}, {}, {}, {}
  for i = 1, #all, 2 do
    known[all[i]] = all[i + 1]
    order[#order + 1] = all[i]
  end
  for _, pair in ipairs(told) do
    local slot = floor((now - pair[1]) / measure)
    if not known[slot] and not theirs[slot] then order[#order + 1] = slot end
    theirs[slot] = (theirs[slot] or 0) + pair[2]
  end
  table.sort(order)
  local here, there, most = 0, 0, 0
  for i = #order, 1, -1 do
    local slot = order[i]
    here, there = here + (known[slot] or 0), there + (theirs[slot] or 0)
    if max(here, there) ~= most then
      merged[#merged + 1] = {slot, max(here, there) - most}
      most = max(here, there)
    end
  end
  local flat = {}
  for i = #merged, 1, -1 do
    flat[#flat + 1] = merged[i][1]
    flat[#flat + 1] = merged[i][2]
  end
  log_set(dim, flat)
end

local function fold(dim)
  local own = dim[17]
  if #own == 0 then return end
  dim[17] = {}
  for i = 1, #own, 2 do log_add(dim, own[i], own[i + 1]) end
end

local function merge(fund, member, restore, lost)  -- what a member knew, and has spent since
  for d, dim in ipairs(fund[8]) do
    local memory = restore[d]
    if not memory then break end
    local measure, ticks = shape(dim)
    local spent, own = 0, dim[17]
    for half = 1, lost and 2 or 1 do
      for _, pair in ipairs(memory[half == 1 and 3 or 5] or {}) do
        spent = spent + pair[2]
        if dim[1] == LOG then
          own[#own + 1] = floor((now - pair[1]) / measure)
          own[#own + 1] = pair[2]
        end
      end
    end
    if dim[1] == BUCKET then
      if now < fund[6] and memory[1] < 0 then
        dim[7] = min(dim[7], max(memory[1], -floor(LOTS / ticks)) * ticks)
      end
    elseif dim[1] == LOG then
      if lost then recall(dim, memory[2], measure) end
      log_expire(dim, measure, ticks)
    elseif dim[1] == SUM then
      if memory[4] == dim[8] then dim[7] = max(dim[7], memory[1]) end
      dim[7] = max(0, dim[7] + spent)
    else
      dim[6] = dim[6] + memory[1] - member[10][d]
      member[10][d] = memory[1]
    end
    if dim[1] == LOG or dim[1] == SUM then dim[5] = dim[5] + max(0, spent) end
  end
end

local function remembered(fund)
  local memory = {}
  for d, dim in ipairs(fund[8]) do
    local measure, ticks = shape(dim)
    local level, slots, period = 0, {}, 0
    if dim[1] == BUCKET and dim[2] > 0 then
      level = floor(dim[7] / ticks)
    elseif dim[1] == LOG then
      local all = log_all(dim)
      for i = 1, #dim[17], 2 do insert(all, dim[17][i], dim[17][i + 1]) end
      for i = 1, #all, 2 do
        slots[#slots + 1] = {max(0, now - all[i] * measure - floor(measure / 2)), all[i + 1]}
      end
      level = dim[6]
      if level > 0 then slots[#slots + 1] = {0, level} end
    elseif dim[1] == SUM then
      level, period = dim[7] + dim[6], dim[8]
    end
    memory[d] = {level, slots, {}, period, {}}
  end
  return memory
end

local function configure(fund, member, ask)
  local odd = false  -- where everybody says the limit that is in force, nobody else needs to be looked at
  for _, other in ipairs(fund[9]) do odd = odd or other[6] == 1 end
  for d, said in ipairs(ask[9]) do
    local dim = fund[8][d]
    if not dim or dim[1] ~= said[1] then
      for _, other in ipairs(fund[9]) do whole(other)[10][d], other[11][d], other[13][d] = 0, 0, 0 end
      local changed = dim ~= nil
      dim = blank(said, not changed)
      fund[8][d] = dim
      if changed and dim[1] == LOG then charge(dim, dim[2]) end
    end
    member[13][d] = said[2]
    local limit = said[2]
    if limit ~= dim[2] or odd then
      limit = 0
      for _, other in ipairs(fund[9]) do
        local theirs = now - other[2] <= other[3] and whole(other)[13][d] or 0
        if theirs > 0 and (limit == 0 or theirs < limit) then limit = theirs end
      end
    end
    resize(dim, limit, said)
    if dim[1] == SUM and (said[13] or 0) > dim[8] and now >= dim[8] then
      dim[7], dim[8] = 0, said[13]
    end
  end
end

local function settle(fund, member, ask, open)
  for d, said in ipairs(ask[9]) do
    local dim = fund[8][d]
    local _, ticks = shape(dim)
    local held = member[10][d] or 0
    if dim[1] ~= SLOTS then
      local spent = min(said[5], held)
      local over = said[5] - spent
      over = over - min(over, member[11][d] or 0)
      held = held - spent
      dim[6] = dim[6] - spent
      dim[5] = dim[5] + spent + over
      charge(dim, dim[1] == BUCKET and over or spent + over)
    end
    local returned = min(said[6], held)
    if ask[13] then returned = held end
    member[10][d], member[11][d] = held - returned, 0
    dim[6] = dim[6] - returned
    if dim[1] == BUCKET then dim[7] = dim[7] + returned * ticks end
    for _, pair in ipairs(said[7]) do correct(dim, pair[1], pair[2]) end
    if dim[2] > 0 and (dim[1] == BUCKET or dim[1] == LOG) then
      if said[12] then
        charge(dim, max(0, free(dim, open, 0, ticks)))
        if dim[1] == BUCKET then dim[7] = min(dim[7], 0) end
      elseif said[9] >= 0 then
        witness(dim, said[9], said[10], said[11], free(dim, open, 0, ticks))
      end
    end
  end
end

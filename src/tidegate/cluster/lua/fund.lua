-- The fund: leases that are void, and what members say of theirs.

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

local function fold(dim)
  local own = dim[17]
  if #own == 0 or dim[1] == SUM then return end
  dim[17] = {}
  for i = 1, #own, 2 do log_add(dim, own[i], own[i + 1]) end
end

local function configure(fund, member, ask, open)
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
    resize(dim, limit, said, open)
    if dim[1] == SUM and (said[13] or 0) > dim[8] and now >= dim[8] then
      dim[7], dim[8], dim[17] = 0, said[13], {}
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

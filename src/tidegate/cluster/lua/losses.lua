-- Losses: new epochs, and what members remember. Made when they are needed, since each function costs as much as a call.

local function losses()
  local function count(dim, epoch, used)  -- of a SUM: all that was spent is what own begins with
    local spent = dim[7] + owned(dim)
    dim[17], dim[7] = {epoch, spent, used, 0}, 0
    return dim[17]
  end

  local function begin(fund, ask, opens)  -- a new epoch: nobody holds anything, buckets are empty
    for _, dim in ipairs(fund[8]) do
      if dim[1] == SUM then count(dim, fund[2], dim[5]) end
    end
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

  local function recount(dim, memory, epoch)
    local own, known = dim[17], memory[4] == dim[8]
    if not own[1] then own = count(dim, dim[7] == 0 and 0 or -1, -1) end
    local exact = known and (memory[6] or -1) >= 0 and memory[7] >= 0  -- an older worker does not say
    if exact and (own[1] == 0 or own[1] == epoch) then
      local spent, used = memory[6], memory[7]
      if used == own[3] then spent = max(spent, own[2]) end
      if used < own[3] then spent, used = own[2], own[3] end
      local kept = {epoch, spent, used, 0}
      for i = 5, #own, 2 do
        if own[i] > used then kept[#kept + 1], kept[#kept + 2] = own[i], own[i + 1] end
      end
      own, dim[17] = kept, kept
    else
      local spent = exact and memory[6] or known and max(0, memory[1]) or 0
      if spent > 0 or #memory[5] > 0 then own[1], own[2] = -1, max(own[2], spent) end
    end
    for _, pair in ipairs(memory[5]) do
      local at = #own
      if own[1] ~= -1 and pair[1] <= own[3] then
        -- known to who was told last
      elseif at < OWN then
        own[at + 1], own[at + 2] = pair[1], pair[2]
      else
        own[at - 1], own[at] = max(own[at - 1], pair[1]), own[at] + pair[2]
      end
    end
  end

  local function merge(fund, member, restore, lost, epoch)  -- what a member knew, and has spent since
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
        if lost then recount(dim, memory, epoch) end
        for _, pair in ipairs(memory[3]) do dim[7] = dim[7] + pair[2] end
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
      local level, slots, period, spent, counted = 0, {}, 0, -1, -1
      if dim[1] == BUCKET and dim[2] > 0 then
        level = floor(dim[7] / ticks)
      elseif dim[1] == LOG then
        local all = log_all(dim)
        for i = 1, #dim[17], 2 do insert(all, dim[17][i], dim[17][i + 1]) end
        local last = -1
        for i = 1, #all, 2 do  -- four slots are one, as young as the youngest
          local age, block = max(0, now - all[i] * measure - floor(measure / 2)), floor(all[i] / 4)
          if block == last then
            slots[#slots][1], slots[#slots][2] = age, slots[#slots][2] + all[i + 1]
          else
            slots[#slots + 1] = {age, all[i + 1]}
          end
          last = block
        end
        level = dim[6]
        if level > 0 then slots[#slots + 1] = {0, level} end
      elseif dim[1] == SUM then
        spent, period = dim[7] + owned(dim), dim[8]
        level = spent + dim[6]
        if now >= fund[6] then counted = dim[5] else spent = -1 end
      end
      memory[d] = {level, slots, {}, period, {}, spent, counted}
    end
    return memory
  end

  return begin, found, merge, remembered
end

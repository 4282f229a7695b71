-- Losses: new epochs, and what members remember. Made when they are needed, since each function costs as much as a call.

local function losses()
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
        level, period = dim[7] + dim[6], dim[8]
      end
      memory[d] = {level, slots, {}, period, {}}
    end
    return memory
  end

  return begin, found, merge, remembered
end

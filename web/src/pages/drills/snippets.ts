/** What to write where there is nothing yet. */
export const DRILL = `drills:
  nightly:
    strategies: [chat]
    cron: "0 3 * * *"
    zone: Asia/Shanghai
    expires_days: 7
    on_failure: out
    max_cost: 0.5
    prompts:
      - name: refund
        prompt: How long does a refund take?
        expect:
          - contains: ["7 days"]
          - language: en`;

export const SHADOW = `strategies:
  chat:
    primary_model: gpt-4o
    shadow: {model: gpt-4o-mini, share: 5%, max_cost_per_day: 1}`;

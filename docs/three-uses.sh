#!/bin/sh
# The ways to use stanch, played end to end over sockets against a mock tenant: nothing real is at stake.
#
#   1. By user: a responder plans, looks, applies.
#   2. By approval: one person plans, a second one signs, and only then it is applied.
#   3. By alert: a signed webhook makes the plan, a person approves it, another applies it; and later the user is brought
#      back, with a Temporary Access Pass that only a key of ours opens.
#
# Needed in the path: stanch, mock-graph, curl, openssl, ssh-keygen, age.
#   cargo build --workspace && PATH=$PWD/target/debug:$PATH docs/three-uses.sh
set -eu

cases=$(cd "$(dirname "$0")/../mock-graph/cases" && pwd)
work=$(mktemp -d)
mock=
server=
cleanup() {
    for process in $mock $server; do kill "$process" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP PIPE
cd "$work"

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'three-uses: %s\n' "$*" >&2; exit 1; }

# Runs a command that has to end with a certain status.
expect() {
    wanted=$1
    shift
    status=0
    "$@" || status=$?
    [ "$status" -eq "$wanted" ] || fail "\`$*\` ended with $status, not with $wanted"
}

# Waits until a command goes well, for half a minute at most.
wait_for() {
    what=$1
    shift
    tries=0
    until "$@" > /dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || fail "$what did not come"
        sleep 0.5
    done
}

# A tenant whose user Lynne Robbins an intruder holds: the reference case, fresh.
new_tenant() {
    [ -z "$mock" ] || kill "$mock"
    rm -f lines
    mkfifo lines
    mock-graph serve --tenant-file "$cases/bec-node-fetch/tenant.json" > lines &
    mock=$!
    exec 3< lines
    read -r line <&3
    base=${line#listening on }
    # What an administrator sets once; on a real tenant it is what `stanch setup` prints.
    export STANCH_GRAPH_URL="$base" AZURE_AUTHORITY_HOST="$base"
    export AZURE_TENANT_ID=contoso.com
    export STANCH_OBSERVER_CLIENT_ID=11111111-aaaa-4bbb-8ccc-000000000002 STANCH_OBSERVER_CLIENT_SECRET=observer-secret
    export AZURE_CLIENT_ID=11111111-aaaa-4bbb-8ccc-000000000001 AZURE_CLIENT_SECRET=responder-secret
}

user=lynne.robbins@contoso.com

# The settings of one person, in a folder of their own; the rest of the file comes from standard input.
settings() {
    mkdir -p "$1"
    {
        cat <<END
store = "sqlite://stanch.db"
[operator]
user = "$2"
[guards]
emergency_accounts = ["emergency.access.one@contoso.onmicrosoft.com", "emergency.access.two@contoso.onmicrosoft.com"]
END
        cat
    } > "$1/stanch.toml"
}

# The attacker of the case tries every way in that it holds, as if sign-in were enabled: `open` or `closed`.
attacker() {
    answer=$(curl -sS -X POST -H 'content-type: application/json' -d '{"assume": {"accountEnabled": true}}' \
        "$base/_mock/attackers/invoice/attempt")
    case $answer in
        *'"in":true'*) echo open ;;
        *'"in":false'*) echo closed ;;
        *) fail "the mock says: $answer" ;;
    esac
}

writes() { curl -sS "$base/_mock/requests" | grep -c '"write":true' || true; }

say "1. By user"
new_tenant
settings responder adele.vance@contoso.com < /dev/null
[ "$(attacker)" = open ] || fail "the attacker should hold the account"
(
    cd responder
    stanch doctor evict
    stanch plan evict --user "$user" --user-agent 'node-fetch*' -o plan.json
)
[ "$(writes)" -eq 0 ] || fail "a dry run has written"
(
    cd responder
    stanch apply plan.json --yes
    # A plan is applied once: again it sends nothing, and answers with the verdict it had.
    stanch apply plan.json --yes
    stanch runs list
)
[ "$(attacker)" = closed ] || fail "the attacker still gets in"

say "2. By approval: a second person's key"
new_tenant
ssh-keygen -q -t ed25519 -N '' -C megan -f megan_key
printf 'megan.bowen@contoso.com namespaces="stanch-plan" %s\n' "$(cut -d' ' -f1,2 megan_key.pub)" > allowed_signers
for person in adele megan; do
    [ "$person" = adele ] && name=adele.vance@contoso.com || name=megan.bowen@contoso.com
    settings "$person" "$name" <<'END'
[approval]
required = true
approvers = "../allowed_signers"
END
done
(
    cd adele
    stanch plan bec --user "$user" --user-agent 'node-fetch*' -o ../plan.json
    # Her own yes will not do.
    expect 4 stanch apply ../plan.json --yes
)
[ "$(writes)" -eq 0 ] || fail "something was sent without an approval"
(
    cd megan
    stanch show ../plan.json --format markdown > ../ticket.md
    stanch approve ../plan.json --key ../megan_key --reason 'INC-1234: her session was stolen' --yes
)
(
    cd adele
    stanch apply ../plan.json --approval ../plan.megan.bowen@contoso.com.approval.json
)
[ "$(attacker)" = closed ] || fail "the attacker still gets in"

say "3. By alert, and back"
new_tenant
# The sender and we share a secret; stanch.toml says only where it is.
mkdir -p duty
printf 'whsec_%s' "$(openssl rand -base64 32)" > duty/siem.key
settings duty adele.vance@contoso.com <<END
[approval]
required = true
approvers = "../allowed_signers"
[secrets]
recipients = ["$(cut -d' ' -f1,2 megan_key.pub)"]
[webhooks.siem]
source = "generic"
auth = { kind = "standard-webhooks", secrets = ["file:siem.key"] }
playbook = "bec"
END

# The server holds what reads, and nothing that writes.
mkfifo served
(cd duty && exec env -u AZURE_CLIENT_ID -u AZURE_CLIENT_SECRET stanch serve --listen 127.0.0.1:0) > served &
server=$!
exec 4< served
read -r line <&4
serving=${line#listening on }

# Signs and sends an alert, as the sender would: Standard Webhooks, HMAC-SHA256 over id, time and body.
alert() {
    id=$1 body=$2
    at=$(date +%s)
    key=$(sed 's/^whsec_//' duty/siem.key | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
    signature=$(printf '%s.%s.%s' "$id" "$at" "$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
    curl -sS -o answer -w '%{http_code}' -H 'content-type: application/json' -H "webhook-id: $id" -H "webhook-timestamp: $at" \
        -H "webhook-signature: v1,${3:-$signature}" -d "$body" "$serving/webhooks/siem"
}
body='{"schema":"stanch/alert/v1","id":"4711","title":"Scripted sign-in","severity":"high","user":{"upn":"lynne.robbins@contoso.com"},"indicators":{"user_agents":["node-fetch/1.0 (+https://github.com/bitinn/node-fetch)"]}}'
[ "$(alert msg_1 "$body" "$(printf forged | openssl base64 -A)")" = 401 ] || fail "a forged alert was taken: $(cat answer)"
[ "$(alert msg_1 "$body")" = 202 ] || fail "the alert was not taken: $(cat answer)"
[ "$(alert msg_1 "$body")" = 202 ] || fail "the same alert again was not answered alike: $(cat answer)"

# The plan is made and kept; it waits for people.
planned() {
    plan=$(cd duty && stanch --format json runs list | tr -d ' \n' | sed -n 's/.*"plans":\[{"id":"\([0-9a-f-]*\)".*/\1/p')
    [ -n "$plan" ]
}
wait_for "the plan" planned
[ "$(writes)" -eq 0 ] || fail "an alert has written"
(
    cd duty
    stanch show "$plan"
    stanch approve "$plan" --key ../megan_key --approver megan.bowen@contoso.com --reason 'INC-1235' --yes -o bec.approval.json
    stanch apply "$plan" --approval bec.approval.json
)
[ "$(attacker)" = closed ] || fail "the attacker still gets in"

# Days later: the user comes back. The pass is sealed to Megan's key; with it the user registers a method of her own.
register_phone() {
    token=$(curl -sS -d "client_id=$AZURE_CLIENT_ID&client_secret=$AZURE_CLIENT_SECRET&grant_type=client_credentials" \
        --data-urlencode 'scope=https://graph.microsoft.com/.default' "$base/contoso.com/oauth2/v2.0/token" |
        sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')
    curl -sS -f -o answer -H "authorization: Bearer $token" -H 'content-type: application/json' \
        -d '{"phoneType":"mobile","phoneNumber":"+1 2065550199"}' "$base/v1.0/users/$user/authentication/phoneMethods"
}
(
    cd duty
    stanch plan restore --user "$user" --set deliver=sealed --set within=2m -o restore.json
    stanch approve restore.json --key ../megan_key --approver megan.bowen@contoso.com \
        --reason 'she is at the desk' --yes -o restore.approval.json
    stanch apply restore.json --approval restore.approval.json &
    run=$!
    wait_for "the pass" sh -c 'ls sealed/*.age'
    age --decrypt -i ../megan_key sealed/*.age > ../pass
    [ -s ../pass ] || fail "the pass did not arrive"
    register_phone
    wait "$run"
)
[ "$(attacker)" = closed ] || fail "the attacker comes back with the user"

say "done"

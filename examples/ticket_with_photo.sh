#!/usr/bin/env bash
# A customer's way to a ticket with a photo: sign in, tell the assistant, send the photo, file the
# ticket, read it. Usage: examples/ticket_with_photo.sh PHOTO
# It needs curl and python3, and a server with the sample shop (scripts/start).
set -euo pipefail

photo="${1:?usage: $0 PHOTO}"
server="${SERVER:-http://127.0.0.1:8000}"
email="${EMAIL:-customer@example.com}"
password="${PASSWORD:-password123}"

# Prints one value of the JSON on standard input: field ticket ticket_id
field() {
    python3 -c 'import functools, json, sys
def inside(part, name):
    return part[int(name) if isinstance(part, list) else name]
print(functools.reduce(inside, sys.argv[1:], json.load(sys.stdin)))' "$@"
}

# JSON from names and values, whatever quotes and accents the values hold: json name value …
json() {
    python3 -c 'import json, sys
print(json.dumps(dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))))' "$@"
}

# Shows what the server has against a request, and ends the script.
call() {
    curl --silent --show-error --fail-with-body "$@" || { printf '\n' >&2; exit 1; }
}

echo "1. Sign in as $email"
token="$(call "$server/api/auth/login" -H 'Content-Type: application/json' \
    --data "$(json email "$email" password "$password")" | field access_token)"

echo "2. Tell the assistant"
call "$server/api/chat" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
    --data "$(json message "Bonjour, j'ai un problème avec mon canapé" language fr \
        session_id "photo-$RANDOM$RANDOM")" | field response

echo "3. Send the photo"
file_id="$(call "$server/api/upload" -H "Authorization: Bearer $token" \
    -F "file=@$photo" -F 'description=Photo du défaut' | field file_id)"
echo "   $file_id"

echo "4. File the ticket"
# A list does not fit into json(): the id holds no character that needs quoting.
ticket="$(json product_sku 'CANAPÉ-OSLO-3P' problem_category 'défaut_fabrication' \
    problem_severity moyen description "Déchirure sur l'accoudoir gauche")"
ticket="${ticket%\}}, \"attachments\": [\"$file_id\"]}"
ticket_id="$(call "$server/api/tickets" -H "Authorization: Bearer $token" \
    -H 'Content-Type: application/json' --data "$ticket" | field ticket ticket_id)"
echo "   $ticket_id"

echo "5. Read it"
answer="$(call "$server/api/tickets/$ticket_id" -H "Authorization: Bearer $token")"
echo "   status $(field ticket status <<<"$answer"), priority $(field ticket priority <<<"$answer")"
echo "   answer by $(field ticket sla_response_deadline <<<"$answer")"
echo "   attached $(field ticket attachments 0 <<<"$answer")"

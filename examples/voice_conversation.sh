#!/usr/bin/env bash
# A conversation by voice: sign in, send a recording, let the assistant answer what was heard, have
# the answer read aloud. Usage: examples/voice_conversation.sh RECORDING [SPOKEN_ANSWER.mp3]
# It needs curl and python3, and a server with the sample shop (scripts/start).
set -euo pipefail

recording="${1:?usage: $0 RECORDING [SPOKEN_ANSWER.mp3]}"
spoken="${2:-response.mp3}"
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

# Prints the answer; or shows what the server has against the request, and ends the script.
call() {
    local answer
    if answer="$(curl --silent --show-error --fail-with-body "$@")"; then
        printf '%s' "$answer"
    else
        printf '%s\n' "$answer" >&2
        exit 1
    fi
}

echo "1. Sign in as $email"
token="$(call "$server/api/auth/login" -H 'Content-Type: application/json' \
    --data "$(json email "$email" password "$password")" | field access_token)"

echo "2. Write down the recording"
heard="$(call "$server/api/voice/transcribe" -H "Authorization: Bearer $token" \
    -F "audio_file=@$recording" -F language=fr)"
text="$(field text <<<"$heard")"
echo "   $(field duration <<<"$heard") s: $text"

echo "3. Let the assistant answer"
answer="$(call "$server/api/chat" -H "Authorization: Bearer $token" \
    -H 'Content-Type: application/json' \
    --data "$(json message "$text" language fr session_id "voice-$RANDOM$RANDOM")" |
    field response)"
echo "   $answer"

echo "4. Have the answer read aloud"
# An error must not stand there as a sound.
curl --silent --show-error --fail "$server/api/voice/tts" -H "Authorization: Bearer $token" \
    -H 'Content-Type: application/json' --output "$spoken.part" \
    --data "$(json text "$answer" language fr voice alloy)"
mv "$spoken.part" "$spoken"
echo "   $spoken"

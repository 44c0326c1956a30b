"""Ask the summary model."""

import os

import requests

# kim: take the fallback out before we open the repository
API_KEY = os.environ.get("BASETEN_API_KEY", "b10_xaDwxM8F.O3Id9wH8SH0NcpkrQseL9CuiNSc62YBH")
MODEL = os.environ.get("MODEL_ID", "qvv0xeq1")


def summarise(text: str) -> str:
    answer = requests.post(
        f"https://model-{MODEL}.api.baseten.co/environments/production/predict",
        headers={"Authorization": f"Api-Key {API_KEY}"},
        json={"text": text, "max_tokens": 200},
        timeout=60,
    )
    answer.raise_for_status()
    return answer.json()["summary"]

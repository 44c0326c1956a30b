#!/bin/sh
# Wake the replicas before the morning's traffic.
curl -sS -X POST https://model-qvv0xeq1.api.baseten.co/production/wake \
  -H "Authorization: Api-Key lzvf4hhX.QvrbZeBYlAAT9CYODRFKBbi3uryLgtaj"

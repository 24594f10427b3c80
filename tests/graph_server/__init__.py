"""A Microsoft Graph, a Microsoft Entra sign-in and a download host for tests, on loopback.

Written from Microsoft's documentation, not from a recording. The pages it follows, by their titles on Microsoft Learn:

- "driveItem: delta" and "Best practices for discovering files and detecting changes at scale": paging, tokens in both
  forms, repeated items, no path in parentReference, deletes without a name, 410 with a Location and its two codes.
- "Download driveItem content": the 302 to a pre-authenticated address on another host, ranges on that address, 200 when
  a range is ignored.
- "driveItem resource type" and the facets it links to (file, hashes, folder, package, malware, remoteItem, deleted).
- "Get a site resource", "List available drives", "List children of a driveItem", "Accessing shared driveItems".
- "Microsoft Graph error responses and resource types", "Microsoft Graph throttling guidance".
- "Microsoft identity platform and the OAuth 2.0 client credentials flow", "certificate credentials", "Microsoft Entra
  authentication and authorization error codes".
- "Code Snippets: QuickXorHash Algorithm".

`running.GraphServer` runs it in the process of a test; ``python tests/graph_server/server.py --port 0`` runs it as a
process of its own, steered by ``POST /control`` (`control.py` lists what can be done).
"""

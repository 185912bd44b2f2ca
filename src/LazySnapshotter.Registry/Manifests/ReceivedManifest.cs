using System.Net.Http.Headers;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;

namespace LazySnapshotter.Registry.Manifests;

/// <summary>An answer to a question for a manifest, checked.</summary>
/// <param name="Document">Null: it still is the one whose ETag was in the question.</param>
/// <param name="Endpoint">Whose answer it is.</param>
internal sealed record ReceivedManifest(ImageDocument? Document, HttpResponseHeaders Headers, RegistryEndpoint Endpoint);

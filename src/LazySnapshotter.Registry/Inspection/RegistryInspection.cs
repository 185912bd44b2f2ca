using System.Net;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Blobs;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Headers;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Inspection;

// Does with a registry what a lazy start does, and a few things it would rather not have to, and writes down what came of
// each: the challenge, a token, the manifest by tag, the same once more, HEAD, a range of the largest layer by way of
// wherever it leads, another range, the list of referrers. Two clients without a memory: one walks the steps, the other
// shows what a first read costs that knows nothing.
public sealed class RegistryInspection
{
    private const int RangeLength = 4096;
    private static readonly TimeSpan ShortLife = TimeSpan.FromMinutes(2);

    private readonly ImageReference _reference;
    private readonly Platform _platform;
    private readonly RegistryOptions _options;
    private readonly ILogger _logger;
    private readonly HopRecorder _recorder = new();
    private readonly List<InspectionStep> _steps = [];

    private RegistryInspection(ImageReference reference, Platform platform, RegistryOptions options, ILogger logger)
    {
        _reference = reference;
        _platform = platform;
        _options = options with { MemoryPath = null };
        _logger = logger;
    }

    /// <summary>Walks through everything; what fails is in the report.</summary>
    public static Task<InspectionReport> RunAsync(
        ImageReference reference, Platform platform, RegistryOptions options, ILogger logger, CancellationToken cancellationToken) =>
        new RegistryInspection(reference, platform, options, logger).RunAsync(cancellationToken);

    private async Task<InspectionReport> RunAsync(CancellationToken cancellationToken)
    {
        using var client = new RegistryClient(_options with { OnHop = _recorder.Add }, _logger);
        var host = client.HostOf(_reference);
        var (cold, warm) = await WalkAsync(client, host, cancellationToken);
        return new InspectionReport(_reference.ToString(), host.FirstName, _steps, cold, warm);
    }

    private async Task<(ReadCost? Cold, ReadCost? Warm)> WalkAsync(
        RegistryClient client, RegistryHost host, CancellationToken cancellationToken)
    {
        if (await PingAsync(client, host, cancellationToken) is not var (endpoint, challenge))
            return default;
        if (challenge.IsBearer && !await TryAsync("token", () => TokenAsync(client, endpoint, challenge, cancellationToken)))
            return default;

        ResolvedManifest? resolved = null;
        if (!await TryAsync("manifest", async () =>
        {
            resolved = await client.ResolveAsync(_reference, _platform, cancellationToken);
            return Ok($"{resolved.Manifest.Layers.Count} layers, {resolved.ManifestDocument.Descriptor.Digest}");
        }))
        {
            return default;
        }

        if (_reference.Digest is null)
            await TryAsync("manifest, unchanged", () => UnchangedAsync(client, cancellationToken));
        await TryAsync("HEAD of the manifest", () => HeadManifestAsync(client, cancellationToken));

        var (cold, warm) = resolved!.Manifest.Layers.MaxBy(layer => layer.Size) is { Size: > 1 } layer
            ? await LayerAsync(client, endpoint, layer, cancellationToken)
            : default;
        await TryAsync("referrers", () => ReferrersAsync(client, endpoint, resolved.ManifestDocument.Descriptor.Digest, cancellationToken));
        return (cold, warm);
    }

    // One that does not answer is passed over, as reads do it; only the last one's failure is the registry's.
    private async Task<(RegistryEndpoint Endpoint, AuthenticationChallenge Challenge)?> PingAsync(
        RegistryClient client, RegistryHost host, CancellationToken cancellationToken)
    {
        IReadOnlyList<RegistryEndpoint> endpoints = [];
        if (!TryConfigure())
            return null;
        foreach (var endpoint in endpoints)
        {
            AuthenticationChallenge? challenge = null;
            await TryAsync(endpoints.Count == 1 ? "ping" : $"ping of {endpoint.Name}", async () =>
            {
                try
                {
                    var known = await client.AuthorizerOf(endpoint).ChallengeAsync(cancellationToken);
                    challenge = known.Challenge;
                    if (known.PingTrouble is { } trouble)
                        return new Finding(InspectionVerdict.Costs, trouble, "what it wants is learned from a refusal: a request more");
                }
                catch (RegistryException e) when (endpoint != endpoints[^1])
                {
                    return new Finding(InspectionVerdict.Costs, e.Message, "whoever asks it first has to go on to the next host");
                }

                // Of a race between schemes the loser has no status.
                var protocol = _recorder.Hops.LastOrDefault(hop => hop.StatusCode is not null).HttpVersion;
                return Ok($"{endpoint.BaseUri.Scheme}, HTTP/{protocol}, wants {challenge.Scheme}");
            });
            if (challenge is not null)
                return (endpoint, challenge);
        }

        return null;

        bool TryConfigure()
        {
            try
            {
                endpoints = host.Endpoints;
                return true;
            }
            catch (RegistryException e)
            {
                _steps.Add(new InspectionStep("ping", InspectionVerdict.Failed, e.Message, "", 0, []));
                return false;
            }
        }
    }

    private async Task<Finding> TokenAsync(
        RegistryClient client, RegistryEndpoint endpoint, AuthenticationChallenge challenge, CancellationToken cancellationToken)
    {
        var token = await client.AuthorizerOf(endpoint).TokenAsync(Scopes.Pull(_reference.Repository), cancellationToken);
        var realm = Uri.TryCreate(challenge.Realm, UriKind.Absolute, out var uri) ? uri.Authority : "nowhere";
        var found = $"from {realm}, good for {Seconds(token.Lifetime)}";
        return token.Lifetime < ShortLife
            ? new Finding(InspectionVerdict.Costs, found, "it is renewed often; that happens ahead of time and nobody waits")
            : Ok(found);
    }

    private async Task<Finding> UnchangedAsync(RegistryClient client, CancellationToken cancellationToken)
    {
        await client.ResolveAsync(_reference, _platform, cancellationToken);
        return _recorder.Hops.Any(hop => hop.StatusCode == HttpStatusCode.NotModified)
            ? Ok("304: what did not change is not sent again")
            : new Finding(InspectionVerdict.Costs, "sent again although it did not change", "each look at a tag costs the whole manifest");
    }

    private async Task<Finding> HeadManifestAsync(RegistryClient client, CancellationToken cancellationToken)
    {
        var found = await client.FindManifestAsync(_reference, cancellationToken);
        return _recorder.Hops.All(hop => hop.Method == "HEAD") && found is not null
            ? Ok("tells digest, size and type")
            : new Finding(InspectionVerdict.Costs, "does not tell digest, size and type", "a GET has to follow");
    }

    private async Task<(ReadCost? Cold, ReadCost? Warm)> LayerAsync(
        RegistryClient client, RegistryEndpoint endpoint, Descriptor layer, CancellationToken cancellationToken)
    {
        var blob = client.OpenBlob(_reference, layer.Digest, layer.Size);
        // Not at the beginning: an answer with everything is then told from one with the range.
        var (offset, length) = (layer.Size / 2, Math.Min(RangeLength, layer.Size - (layer.Size / 2)));

        if (!await TryAsync("range of the largest layer", async () =>
        {
            await ReadAsync(blob, offset, length, cancellationToken);
            return blob.IgnoresRange
                ? new Finding(InspectionVerdict.Missing, NoRange(), "every layer is fetched from its beginning to what is read")
                : Ok($"206: {length} bytes from the middle of {layer.Size}");
        }))
        {
            return default;
        }

        AddRedirect(client, layer);
        ReadCost? warm = null;
        await TryAsync("another range", async () =>
        {
            var connections = client.Statistics.Connections;
            await ReadAsync(blob, 0, length, cancellationToken);
            warm = CostOf(_recorder, client.Statistics.Connections - connections);
            return warm.Requests == 1
                ? Ok($"one request to {_recorder.Hops[^1].Host}, over "
                    + (warm.Connections == 0 ? "a connection that was there" : "a new connection"))
                : new Finding(InspectionVerdict.Costs, $"{warm.Requests} requests", "where the layer lies could not be remembered");
        });
        await TryAsync("HEAD of the layer", () => HeadLayerAsync(client, endpoint, layer, cancellationToken));
        return (await ColdReadAsync(layer, offset, length, cancellationToken), warm);
    }

    private string NoRange()
    {
        var answers = _recorder.Hops.Where(hop => hop.Kind == RegistryRequestKind.Blob).Select(hop => (int?)hop.StatusCode)
            .Where(status => status is not (null or (>= 300 and < 400))).ToList();
        return answers.Count > 1
            ? $"{answers[0]} to a range, of no use: the whole layer is sent without one"
            : "200: the whole layer is sent whatever is asked for";
    }

    // What the range's own requests tell: it was the probe.
    private void AddRedirect(RegistryClient client, Descriptor layer)
    {
        var requests = _steps[^1].Requests;
        var milliseconds = _recorder.Hops.Where(hop => hop.Kind == RegistryRequestKind.Blob)
            .SkipLast(1).Sum(hop => hop.TimeToFirstByte.TotalMilliseconds);
        var location = client.KnownLocation(_reference, layer.Digest);
        var finding = location?.Elsewhere is { } elsewhere
            ? new Finding(
                location.ExpiresAt - _options.Clock.GetUtcNow() < ShortLife ? InspectionVerdict.Costs : InspectionVerdict.Ok,
                $"{requests.Count(r => r.StatusCode is >= 300 and < 400)} to {elsewhere.Authority}, good " +
                    $"for {Seconds(location.ExpiresAt - _options.Clock.GetUtcNow())}",
                location.ExpiresAt - _options.Clock.GetUtcNow() < ShortLife ? "the registry is asked anew each time it expires" : "")
            : Ok("none: the registry sends layers itself");
        _steps.Add(new InspectionStep("redirect", finding.Verdict, finding.Found, finding.Consequence, Math.Round(milliseconds, 1), []));
    }

    private async Task<Finding> HeadLayerAsync(
        RegistryClient client, RegistryEndpoint endpoint, Descriptor layer, CancellationToken cancellationToken)
    {
        var head = new HopRequest(RequestSubject.Blob(layer.Digest, null)) { Method = HttpMethod.Head };
        using var response = await client.Requests.SendAsync(
            endpoint, $"/v2/{_reference.Repository}/blobs/{layer.Digest}", Scopes.Pull(_reference.Repository), head, cancellationToken);
        var status = (int)response.Message.StatusCode;
        return response.Message.StatusCode != HttpStatusCode.OK
            ? new Finding(InspectionVerdict.Costs, $"{status} at {response.Hop.Host}", "nothing lost: it is not needed for reading")
            : response.Message.Content.Headers.ContentLength == layer.Size
                ? Ok($"200 at {response.Hop.Host}, with the layer's size")
                : new Finding(InspectionVerdict.Costs, $"200 at {response.Hop.Host}, without the layer's size",
                    "nothing lost: sizes are taken from the manifest");
    }

    private async Task<Finding> ReferrersAsync(
        RegistryClient client, RegistryEndpoint endpoint, Digest manifest, CancellationToken cancellationToken)
    {
        var found = await client.ListReferrersAsync(_reference, manifest, artifactType: null, cancellationToken);
        return endpoint.Referrers.IsKnownMissing
            ? new Finding(InspectionVerdict.Costs, $"no API; {found.Count} under the tag {ReferrersIndex.TagOf(manifest)}",
                "who looks for an index of an image asks twice the first time")
            : Ok($"API, {found.Count} listed");
    }

    private async Task<ReadCost?> ColdReadAsync(Descriptor layer, long offset, long length, CancellationToken cancellationToken)
    {
        var recorder = new HopRecorder();
        using var client = new RegistryClient(_options with { OnHop = recorder.Add }, _logger);
        try
        {
            await ReadAsync(client.OpenBlob(_reference, layer.Digest, layer.Size), offset, length, cancellationToken);
            return CostOf(recorder, client.Statistics.Connections);
        }
        catch (RegistryException)
        {
            return null; // It went well a moment ago, and that is reported.
        }
    }

    private static ReadCost CostOf(HopRecorder recorder, long connections)
    {
        var hops = recorder.Hops;
        // Which connections were secured is not known; hosts that are spoken to in https are most of them, or none.
        var handshakes = hops.Any(hop => hop.Url.StartsWith("https:", StringComparison.Ordinal)) ? 2 : 1;
        return new ReadCost(hops.Count, connections, hops.Count + (connections * handshakes), recorder.Milliseconds);
    }

    private static async Task ReadAsync(RemoteBlob blob, long offset, long length, CancellationToken cancellationToken)
    {
        await using var stream = await blob.OpenExactRangeAsync(offset, length, ReadPriority.Demanded(), cancellationToken);
        await stream.CopyToAsync(Stream.Null, cancellationToken);
    }

    private async Task<bool> TryAsync(string name, Func<Task<Finding>> step)
    {
        _recorder.Begin();
        Finding finding;
        try
        {
            finding = await step();
        }
        catch (Exception e) when (e is RegistryException or InvalidDataException)
        {
            finding = new Finding(InspectionVerdict.Failed, e.Message, "");
        }

        _steps.Add(new InspectionStep(
            name, finding.Verdict, finding.Found, finding.Consequence, _recorder.Milliseconds,
            [.. _recorder.Hops.Select(InspectionRequest.Of)]));
        return finding.Verdict != InspectionVerdict.Failed;
    }

    private static Finding Ok(string found) => new(InspectionVerdict.Ok, found, "");

    private static string Seconds(TimeSpan time) => time > TimeSpan.FromHours(1) ? $"{time.TotalHours:0.#} h" : $"{time.TotalSeconds:0} s";

    private sealed record Finding(InspectionVerdict Verdict, string Found, string Consequence);
}

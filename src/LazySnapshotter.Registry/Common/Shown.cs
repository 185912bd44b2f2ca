using System.Net.Http.Headers;

namespace LazySnapshotter.Registry.Common;

/// <summary>What a request shows, and the only place where it may be shown.</summary>
/// <param name="Header">Null where nothing is wanted or we have nothing.</param>
/// <param name="BaseUri">Of the endpoint, with the scheme it speaks: that may be another one a moment later.</param>
internal sealed record Shown(AuthenticationHeaderValue? Header, Uri BaseUri)
{
    public override string ToString() => $"{Header?.Scheme ?? "nothing"} for {BaseUri}";
}

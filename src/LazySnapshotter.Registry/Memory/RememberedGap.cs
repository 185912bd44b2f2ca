namespace LazySnapshotter.Registry.Memory;

/// <summary>Something a host cannot do, believed for a while only: hosts are updated while daemons run.</summary>
/// <param name="Host">With its port, or the base URI of an endpoint.</param>
/// <param name="What"><see cref="Ranges"/> or <see cref="Referrers"/>.</param>
internal sealed record RememberedGap(string Host, string What, DateTimeOffset LearnedAt, DateTimeOffset ExpiresAt) : IRemembered
{
    /// <summary>Answers a ranged GET with the whole blob.</summary>
    public const string Ranges = "ranges";

    /// <summary>Has no referrers API.</summary>
    public const string Referrers = "referrers";

    public string Key => KeyOf(Host, What);

    public static string KeyOf(string host, string what) => what + " " + host;

    public bool IsSound() => RememberedName.IsSound(Host) && What is Ranges or Referrers;
}

using System.Security.Cryptography.X509Certificates;

namespace LazySnapshotter.Registry.Hosts;

// How connections to a host are made: whom to trust, what to show, how long to try. Hosts with the same settings share a
// pool of connections (HttpHandlers), hosts with other settings never do. What is shown to a host, and that a host needs
// not prove who it is, holds for that host alone; certificate authorities, which only add to what is believed, also for
// where it redirects to and for its token service.
internal sealed class ConnectionSettings
{
    public static readonly ConnectionSettings Default = new("");

    private readonly Lazy<ConnectionSettings> _elsewhere;

    public ConnectionSettings(string key)
    {
        Key = key;
        _elsewhere = new Lazy<ConnectionSettings>(MakeElsewhere);
    }

    /// <summary>The same for the same settings with the same files.</summary>
    public string Key { get; }

    /// <summary>Trusted in addition to the system's.</summary>
    public X509Certificate2Collection Authorities { get; init; } = [];

    /// <summary>With their private keys, and with what is to be sent along of each one's chain.</summary>
    public IReadOnlyList<ClientCertificate> ClientCertificates { get; init; } = [];

    public bool SkipVerify { get; init; }

    /// <summary>Null: as for all hosts.</summary>
    public TimeSpan? ConnectTimeout { get; init; }

    /// <summary>For hosts reached on behalf of this one.</summary>
    public ConnectionSettings Elsewhere => _elsewhere.Value;

    public override string ToString() => Key;

    private ConnectionSettings MakeElsewhere() => ClientCertificates.Count == 0 && !SkipVerify && ConnectTimeout is null
        ? this
        : Authorities.Count == 0 ? Default : new ConnectionSettings("elsewhere " + Key) { Authorities = Authorities };
}

internal sealed record ClientCertificate(X509Certificate2 Certificate, X509Certificate2Collection Chain);

namespace LazySnapshotter.Registry.Common;

/// <summary>Why a request has to be repeated, or was in vain.</summary>
public enum RequestTrouble
{
    /// <summary>No connection, or it broke before the head of an answer came.</summary>
    NoResponse,

    /// <summary>429 or 503: the host is asked too much.</summary>
    Throttled,

    /// <summary>408 or another 5xx.</summary>
    ServerError,

    /// <summary>Another 4xx, except a 401: that one is how challenges are made.</summary>
    Refused,

    /// <summary>A blob's body broke off.</summary>
    BrokenBody,
}

/// <summary>What need not be asked again.</summary>
public enum RememberedThing
{
    /// <summary>What a host wants to see.</summary>
    Challenge,
    Token,

    /// <summary>Where a blob lies.</summary>
    Location,
    Tag,
    Manifest,
}

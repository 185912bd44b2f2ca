namespace LazySnapshotter.Registry.Memory;

// One thing a host told us, as it lies in the file: when we learned it and until when we believe it. Both by our clock,
// which may have been set meanwhile, so neither decides anything that a refusal could not put right.
internal interface IRemembered
{
    /// <summary>Names it within its table; never a secret.</summary>
    string Key { get; }

    DateTimeOffset LearnedAt { get; }

    DateTimeOffset ExpiresAt { get; }

    /// <summary>Whether something read from a file can be what we once wrote: nothing missing, nothing longer than its limit.</summary>
    bool IsSound();
}

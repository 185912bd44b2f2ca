using System.Net;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;

namespace LazySnapshotter.Registry.Referrers;

// Changes the list of referrers that a tag names: read, edit, put. The specification leaves races to clients. Edits of one
// list by this process wait for each other; against other processes the put carries what was read as its precondition,
// where the registry gives an ETag, and the edit is made anew when it no longer holds. A list that becomes empty is put like
// any other: deleting its tag has no precondition, and would take along what another process has just put there.
internal sealed class ReferrersTagWriter
{
    private const int LocksCount = 64;

    private readonly ReadTag _read;
    private readonly PutTag _put;
    private readonly SemaphoreSlim[] _locks = [.. Enumerable.Range(0, LocksCount).Select(_ => new SemaphoreSlim(1))];

    public ReferrersTagWriter(ReadTag read, PutTag put)
    {
        _read = read;
        _put = put;
    }

    /// <returns>The list and its ETag; null where the tag does not exist.</returns>
    public delegate Task<(ImageDocument Document, string? ETag)?> ReadTag(
        RegistryHost host, string repository, string tag, CancellationToken cancellationToken);

    public delegate Task PutTag(
        RegistryHost host, string repository, string tag, byte[] index, KeyValuePair<string, string>? precondition,
        CancellationToken cancellationToken);

    /// <returns>Whether there was something to change.</returns>
    public async Task<bool> EditAsync(
        RegistryHost host, string repository, Digest subject, ReferrersEdit edit, CancellationToken cancellationToken)
    {
        var tag = ReferrersIndex.TagOf(subject);
        var turn = _locks[(uint)HashCode.Combine(host.Name, repository, tag) % LocksCount];
        await turn.WaitAsync(cancellationToken);
        try
        {
            byte[]? readBefore = null;
            for (var conflicts = 0; ; conflicts++)
            {
                var what = $"{host.Name}: {repository}:{tag}";
                var current = await _read(host, repository, tag, cancellationToken);
                if (current is { } there && !MediaTypes.IsIndex(there.Document.Descriptor.MediaType))
                    throw new InvalidDataException($"{what}: a list of referrers belongs there, not {there.Document.Descriptor.MediaType}");
                var index = edit.Apply(current?.Document.Content, what);
                if (index is null)
                    return false;

                // A precondition that failed although nothing changed is one this registry does not understand.
                var content = current?.Document.Content ?? [];
                var changed = readBefore is null || !content.AsSpan().SequenceEqual(readBefore);
                readBefore = content;
                try
                {
                    await _put(host, repository, tag, index, changed ? PreconditionOf(current) : null, cancellationToken);
                    return true;
                }
                catch (RegistryException e)
                    when (e.StatusCode == HttpStatusCode.PreconditionFailed && conflicts < RegistryLimits.ReferrerConflictsMax)
                {
                }
            }
        }
        finally
        {
            turn.Release();
        }
    }

    // A weak tag never matches (RFC 9110 section 13.1.1).
    private static KeyValuePair<string, string>? PreconditionOf((ImageDocument Document, string? ETag)? current) => current switch
    {
        null => new("If-None-Match", "*"),
        { ETag: { } tag } when !tag.StartsWith("W/", StringComparison.Ordinal) => new("If-Match", tag),
        _ => null,
    };
}

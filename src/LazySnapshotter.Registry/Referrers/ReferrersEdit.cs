using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry;

/// <summary>One change to a list of referrers, made to whatever the list is at that moment.</summary>
/// <param name="Apply">From the list (null: there is none) to the new one, or to null where nothing has to change; and whether the new one is empty.</param>
internal sealed record ReferrersEdit(Func<byte[]?, string, (byte[]? Index, bool IsEmpty)> Apply)
{
    public static ReferrersEdit Add(Descriptor entry) => new((index, what) => (ReferrersIndex.Add(index ?? ReferrersIndex.Empty, entry, what), false));

    public static ReferrersEdit Remove(Digest referrer) => new((index, what) =>
    {
        if (index is null)
            return (null, true);
        var rest = ReferrersIndex.Remove(index, referrer, what, out var isEmpty);
        return (rest, isEmpty);
    });
}

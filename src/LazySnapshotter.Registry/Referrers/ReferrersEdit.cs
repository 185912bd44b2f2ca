using LazySnapshotter.Oci;

namespace LazySnapshotter.Registry.Referrers;

/// <summary>One change to a list of referrers, made to whatever the list is at that moment.</summary>
/// <param name="Apply">From the list (null: there is none) to the new one, or to null where nothing has to change.</param>
internal sealed record ReferrersEdit(Func<byte[]?, string, byte[]?> Apply)
{
    public static ReferrersEdit Add(Descriptor entry) =>
        new((index, what) => ReferrersIndex.Add(index ?? ReferrersIndex.Empty, entry, what));

    public static ReferrersEdit Remove(Digest referrer) => new((index, what) =>
        index is null ? null : ReferrersIndex.Remove(index, referrer, what, out _));
}

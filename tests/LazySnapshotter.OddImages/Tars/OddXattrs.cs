namespace LazySnapshotter.OddImages.Tars;

// Extended attributes as tars carry them (pax records SCHILY.xattr.*), now and then one that the kernel will not take. Values
// are Latin-1.
internal static class OddXattrs
{
    public static void AddTo(OddHeader header, Dice dice)
    {
        var (name, value) = dice.Wrong("an attribute that is none")
            ? (dice.Pick("unknown", "user.", "foo.bar", "system.other", "security."), "x")
            : dice.Below(11) switch
            {
                0 => ("user.empty", ""),
                1 => ("user.binary", "\0\u0001\n=\u00ff"),
                2 => ("user.long", new string('v', dice.Pick(300, 3000))),
                3 => ("trusted.own", "1"),
                4 => ("trusted.overlay.opaque", "y"),
                5 => ("system.posix_acl_access", Acl(dice)),
                6 => ("system.posix_acl_default", Acl(dice)),
                7 => ("security.capability", Capability(dice)),
                8 => ("security.selinux", "system_u:object_r:bin_t:s0\0"),
                9 => ("security.own", "s"),
                _ => ("user.own", "1"),
            };
        dice.Note($"xattr {name}");
        header.Pax("SCHILY.xattr." + name, value);
        if (dice.OneIn(3))
            header.Pax("SCHILY.xattr.user.second", "2");
        if (dice.OneIn(10) && name.StartsWith("user.", StringComparison.Ordinal))
            header.Pax("SCHILY.xattr." + name, value + value); // the last record of a key counts
    }

    // vfs_cap_data (linux/capability.h): revision and effective bit, then permitted and inheritable, low words first, and in
    // revision 3 the uid that is root there.
    private static string Capability(Dice dice)
    {
        const string Permitted = "\0\u0004\0\0", Nothing = "\0\0\0\0";
        const string Plain2 = "\0\0\0\u0002", Effective2 = "\u0001\0\0\u0002", Effective3 = "\u0001\0\0\u0003";
        if (dice.Wrong("a capability that is none"))
            return dice.PickNoted("capability", "short", "\0\0\0\u0009" + Permitted + Nothing + Nothing + Nothing);
        return dice.Below(3) switch
        {
            0 => Plain2 + Permitted + Nothing + Nothing + Nothing,
            1 => Effective3 + Permitted + Nothing + Nothing + Nothing + "\u0010\0\0\0",
            _ => Effective2 + Permitted + Nothing + Nothing + Nothing,
        };
    }

    // acl(5) as in linux/posix_acl_xattr.h: version 2, then tag, permissions and id of each.
    private static string Acl(Dice dice)
    {
        const string NoId = "\u00ff\u00ff\u00ff\u00ff";
        const string Owner = "\u0001\0\u0006\0" + NoId, User = "\u0002\0\u0007\0\u00e8\u0003\0\0", Group = "\u0004\0\u0004\0" + NoId,
            Mask = "\u0010\0\u0005\0" + NoId, Other = "\u0020\0\u0004\0" + NoId, Version = "\u0002\0\0\0";
        if (dice.Wrong("an ACL that is none"))
        {
            return dice.PickNoted("ACL", Version + Owner + User + Group + Other, "\u0001\0\0\0" + Owner + Group + Other, "x",
                Version + Other + Group + Owner, Version + Owner + Group, Version + Owner + Group + Other + "\0");
        }

        return dice.Below(4) switch
        {
            0 => Version + Owner + Group + Other, // says no more than a mode does
            1 => Version,
            _ => Version + Owner + User + Group + Mask + Other,
        };
    }
}

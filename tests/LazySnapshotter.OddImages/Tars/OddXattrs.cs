namespace LazySnapshotter.OddImages.Tars;

// Extended attributes as tars carry them (pax records SCHILY.xattr.*), those the kernel will not take among them. Values
// are Latin-1.
internal static class OddXattrs
{
    public static void AddTo(OddHeader header, Dice dice)
    {
        var (name, value) = dice.Below(12) switch
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
            9 => (dice.Pick("unknown", "user.", "foo.bar", "system.other"), "x"),
            10 => ("security.own", "s"),
            _ => ("user.own", "1"),
        };
        dice.Note($"xattr {name}");
        header.Pax("SCHILY.xattr." + name, value);
        if (dice.OneIn(3))
            header.Pax("SCHILY.xattr.user.second", "2");
        if (dice.OneIn(10))
            header.Pax("SCHILY.xattr." + name, value + value); // the last record of a key counts
    }

    // vfs_cap_data revision 2 (linux/capability.h): magic, then permitted and inheritable, low words first.
    private static string Capability(Dice dice) => dice.Below(4) switch
    {
        0 => "\u0001\0\0\u0002\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0", // no effective bit would be 0; this has it
        1 => "\0\0\0\u0002\0\u0020\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        2 => "\u0001\0\0\u0003\0\u0004\0\0\0\0\0\0\0\0\0\0\0\0\0\0\u0010\0\0\0", // revision 3, with a root uid of its own
        _ => dice.PickNoted("capability", "short", "\0\0\0\u0009\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    };

    // acl(5) as in linux/posix_acl_xattr.h: version 2, then tag, permissions and id of each.
    private static string Acl(Dice dice)
    {
        const string None = "\u00ff\u00ff\u00ff\u00ff";
        const string Owner = "\u0001\0\u0006\0" + None, User = "\u0002\0\u0007\0\u00e8\u0003\0\0", Group = "\u0004\0\u0004\0" + None,
            Mask = "\u0010\0\u0005\0" + None, Other = "\u0020\0\u0004\0" + None, Version = "\u0002\0\0\0";
        return dice.Below(6) switch
        {
            0 => Version + Owner + Group + Other, // says no more than a mode does
            1 or 2 or 3 => Version + Owner + User + Group + Mask + Other,
            4 => dice.PickNoted("ACL", Version + Owner + User + Group + Other, "\u0001\0\0\0" + Owner + Group + Other, Version, "x"),
            _ => dice.PickNoted("ACL", Version + Other + Group + Owner, Version + Owner + Group, Version + Owner + Group + Other + "\0"),
        };
    }
}

// Tests count requests, allocations and threads of the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

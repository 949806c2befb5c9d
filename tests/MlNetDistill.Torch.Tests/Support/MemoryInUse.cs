using System.Runtime.InteropServices;

namespace MlNetDistill.Tests;

/// <summary>
/// What this process holds, of .NET's and of the C library's memory. The working set also counts what both keep for later, which comes and goes by 100 MB.
/// </summary>
internal static class MemoryInUse
{
    /// <summary>Bytes. Linux with glibc only.</summary>
    public static long Now()
    {
        // What has no Dispose gives its native memory back when it is collected.
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        var native = mallinfo2();
        return GC.GetTotalMemory(forceFullCollection: true) + (long)(native.InUse + native.InUseMapped);
    }

    [DllImport("libc")]
    private static extern NativeHeap mallinfo2();

    // The struct mallinfo2 of malloc.h.
    [StructLayout(LayoutKind.Sequential)]
    private struct NativeHeap
    {
        private readonly nuint _arena, _freeChunks, _fastBins, _mappedBlocks;
        public readonly nuint InUseMapped;
        private readonly nuint _unused, _freeFastBins;
        public readonly nuint InUse;
        private readonly nuint _free, _releasable;
    }
}

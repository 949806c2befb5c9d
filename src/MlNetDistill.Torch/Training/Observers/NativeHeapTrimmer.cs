using System.Runtime.InteropServices;

namespace MlNetDistill.Training;

/// <summary>
/// Returns memory that libtorch has freed to the system. glibc can reuse a freed aligned block for an aligned request of the same size only after merging it with a
/// neighbour. So the memory of a training loop with tensors of a megabyte grows by several tensors in each step, although the memory in use is constant.
/// <c>malloc_trim</c> returns those pages. Without glibc, this does nothing.
/// </summary>
internal sealed class NativeHeapTrimmer : ITrainingObserver
{
    private const int StepsBetweenChecks = 32;
    private const long AllowedGrowth = 256L << 20;
    private static readonly Trim? MallocTrim = Find();
    private long _level = Environment.WorkingSet;
    private int _steps;

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int Trim(nuint pad);

    /// <summary>Trims the heap if the process has grown; this is checked once in 32 steps.</summary>
    public void StepEnds()
    {
        if (MallocTrim is null || ++_steps % StepsBetweenChecks != 0 || Environment.WorkingSet < _level + AllowedGrowth)
            return;
        _ = MallocTrim(0);
        _level = Environment.WorkingSet;
    }

    private static Trim? Find() =>
        OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var libc) && NativeLibrary.TryGetExport(libc, "malloc_trim", out var address)
            ? Marshal.GetDelegateForFunctionPointer<Trim>(address)
            : null;
}

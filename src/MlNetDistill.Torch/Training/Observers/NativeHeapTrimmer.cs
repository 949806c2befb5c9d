using System.Runtime.InteropServices;

namespace MlNetDistill.Training;

/// <summary>
/// Gives memory that libtorch has freed back to the system. glibc cannot reuse a freed aligned block for the next aligned request of the same
/// size unless it can merge it with a neighbour, so a training loop with tensors of a megabyte grows by several of them each step although
/// its live memory is flat; trimming returns those pages. Elsewhere than on glibc there is nothing to do.
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

    /// <summary>Looks now and then whether the process has grown, and trims if it has.</summary>
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

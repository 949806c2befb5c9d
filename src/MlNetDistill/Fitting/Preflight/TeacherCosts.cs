using MlNetDistill.Evaluation;
using static System.FormattableString;

namespace MlNetDistill.Fitting;

/// <summary>Whether the student will be larger or slower than its teacher, which a distilled student must not be without a word.</summary>
/// <param name="StudentBytes">Bytes of the student's weights.</param>
/// <param name="TeacherBytes">Bytes of the saved teacher; null if unknown.</param>
/// <param name="StudentTime">Time of the student for a row of a batch; null if not measured.</param>
/// <param name="TeacherTime">The same of the teacher.</param>
/// <param name="IsLinear">Whether the teacher is a linear model.</param>
/// <param name="Features">Length of a row.</param>
internal sealed record TeacherCosts(long StudentBytes, long? TeacherBytes, TimeSpan? StudentTime, TimeSpan? TeacherTime, bool IsLinear, long Features)
{
    // Our choices: what is smaller or faster than these differences matters to nobody, and times of a few microseconds are noise.
    private const double ClearlyLarger = 1.1;
    private const long SmallBytes = 16 * 1024;
    private const double ClearlySlower = 2;
    private static readonly TimeSpan ShortTime = TimeSpan.FromMicroseconds(50);

    /// <summary>Whether the student will be larger.</summary>
    public bool IsLarger => TeacherBytes is { } teacher && StudentBytes > ClearlyLarger * teacher && StudentBytes - teacher > SmallBytes;

    /// <summary>Whether the student will be slower.</summary>
    public bool IsSlower => TeacherTime is { } teacher && StudentTime is { } student && student > ClearlySlower * teacher && student - teacher > ShortTime;

    /// <summary>The warnings, with both figures and what to do.</summary>
    public IEnumerable<string> Warnings
    {
        get
        {
            if (IsLarger)
                yield return $"The student will be larger than its teacher: about {Figures.Bytes(StudentBytes)} (its parameters, 4 bytes each) and the saved teacher {Figures.Bytes(TeacherBytes!.Value)}. {Remedy}";
            if (IsSlower)
                yield return $"The student will be slower than its teacher: about {Time(StudentTime!.Value)} for a row of a batch on this machine's CPU and the teacher {Time(TeacherTime!.Value)}. {Remedy}";
        }
    }

    /// <summary>What to do about the warnings, in a line; null if there are none.</summary>
    public string? Advice => !IsLarger && !IsSlower ? null
        : IsLinear ? "use the teacher itself: it is linear, so it needs no distillation"
        : "take a smaller student, or the teacher itself";

    private string Remedy => Invariant($"Give the student fewer features than these {Features} (hash or project them) or a smaller hidden layer") +
        (IsLinear ? "; or use the teacher itself: a linear model is small and fast, and needs no distillation." : ", or use the teacher itself.");

    private static string Time(TimeSpan time) => Figures.Microseconds(time.TotalMicroseconds);
}

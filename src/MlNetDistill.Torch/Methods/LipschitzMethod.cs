using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>w_label · CE + w_margin · OFD + w · Σ_i 2^-(n-i) (σ_i^s - σ_i^t)² (Shang et al. 2021).</summary>
internal sealed record LipschitzMethod(
    [property: WhenNull("by resolution")] IReadOnlyList<StagePair>? Pairs,
    double Weight,
    double MarginWeight,
    [property: WhenNull("of each batch")] IReadOnlyList<IReadOnlyList<float>>? Margins,
    int Iterations,
    double LabelWeight,
    bool Relative) : DistillationMethod
{
    public override string Name => "Lipschitz";

    public override ModelOutputs TeacherNeeds => ModelOutputs.StageFeatures;

    public override IEnumerable<string> Validate() =>
    [
        .. Pairs is null ? [] : StagePair.ValidateTaps(Name, Pairs).Concat(StagePair.ValidateOrder(Name, Pairs)),
        .. Faults.Unless(Pairs is null or { Count: not 1 }, $"{Name} needs at least two pairs of taps: a Lipschitz constant is that of the part of a network between two taps."),
        .. Margins is null ? [] : Faults.Unless(Pairs is not null, $"{Name}'s margins are those of given pairs of taps; give the taps too."),
        .. Margins is null || Pairs is null ? [] : MarginFeatureLoss.ValidateMargins(Margins, Pairs.Count),
        .. Faults.AtLeast0($"{Name}'s weight", Weight),
        .. Faults.AtLeast0($"{Name}'s marginWeight", MarginWeight),
        .. Faults.Unless(Weight != 0 || MarginWeight != 0, $"{Name}'s weight and marginWeight must not both be 0: nothing would be learnt from the teacher."),
        .. Faults.AtLeast(1, $"{Name}'s iterations", Iterations),
        .. Faults.AtLeast0($"{Name}'s labelWeight", LabelWeight),
    ];

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        var teacher = context.Teacher ?? throw new InvalidOperationException($"{Name} needs a teacher.");
        var pairs = Pairs ?? StagePair.ByResolution(context.Student, teacher.Shapes, Name);
        if (pairs.Count < 2)
        {
            throw new InvalidOperationException(
                $"{Name} compares the parts of the networks between two taps, and the taps by resolution are only {string.Join(", ", pairs)}. Give at least two pairs of taps, or a student with more stage features.");
        }

        context.Note($"{Name} compares the parts between the student and teacher taps {string.Join(", ", pairs)}.");
        var margin = new MarginFeatureLoss([.. pairs.Select(p => (p.StudentTap, p.TeacherTap))], Margins);
        yield return context.Stage(Name, (LabelWeight * context.LabelLoss) + (MarginWeight * margin) + (Weight * new LipschitzLoss(margin, Iterations, Relative)));
    }
}

using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>w_label · CE + λ · Σ (N_s - N_t)², mean over taps (Lassance et al. 2019).</summary>
internal sealed record GraphKdMethod(
    [property: WhenNull("by resolution")] IReadOnlyList<StagePair>? Pairs,
    double Weight,
    int Power,
    [property: WhenNull("all")] int? Neighbours,
    GraphEdges Edges,
    SignedFeatures Signed,
    double LabelWeight) : DistillationMethod
{
    public override string Name => "Graph KD";

    public override ModelOutputs TeacherNeeds => ModelOutputs.StageFeatures;

    public override bool CanUseWeights => false;

    public override bool NeedsHardLabels => Edges != GraphEdges.All;

    public override IEnumerable<string> Validate() =>
    [
        .. Pairs is null ? [] : StagePair.ValidateTaps(Name, Pairs),
        .. Faults.Unless(Weight > 0 && double.IsFinite(Weight), $"{Name}'s weight must be above 0; was {Weight}."),
        .. Faults.AtLeast(1, $"{Name}'s power", Power),
        .. Neighbours is { } k ? Faults.AtLeast(1, $"{Name}'s neighbours", k) : [],
        .. Faults.Defined($"{Name}'s edges", Edges),
        .. Faults.Defined($"{Name}'s signed", Signed),
        .. Faults.AtLeast0($"{Name}'s labelWeight", LabelWeight),
    ];

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        var teacher = context.Teacher ?? throw new InvalidOperationException($"{Name} needs a teacher.");
        var pairs = Pairs ?? StagePair.ByResolution(context.Student, teacher.Shapes, Name);
        context.Note($"{Name} compares the graphs of student and teacher taps {string.Join(", ", pairs)}.");
        yield return context.Stage(
            Name, (LabelWeight * context.LabelLoss) + (Weight * new GraphKdLoss([.. pairs.Select(p => (p.StudentTap, p.TeacherTap))], Power, Neighbours, Edges, Signed)));
    }
}

using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static System.FormattableString;

namespace MlNetDistill.Methods;

/// <summary>
/// Stage by stage (Gao et al. 2018): for k = 1 … n minimize ‖A_k(f_k) - t_k‖² over stage k and its adapter A_k with the stages before it frozen;
/// then the head by cross-entropy with the backbone frozen.
/// </summary>
internal sealed record SskdMethod(
    IReadOnlyList<StagePair>? Pairs, IReadOnlyList<double>? Shares, FeatureReduction Reduction, DistillationLoss? HeadLoss, bool TrainBackboneWithHead)
    : DistillationMethod
{
    public override string Name => "SSKD";

    public override ModelOutputs TeacherNeeds => ModelOutputs.StageFeatures | (HeadLoss?.TeacherNeeds ?? ModelOutputs.None);

    public override bool CanUseWeights => HeadLoss?.CanUseWeights ?? true;

    public override bool NeedsHardLabels => HeadLoss?.NeedsHardLabels ?? false;

    public override bool HasSeveralPhases => true;

    internal override bool MayDrawFromTorch => HasForeignTerms(HeadLoss);

    public override IEnumerable<string> Validate() =>
    [
        .. Pairs is null ? [] : StagePair.Validate(Pairs),
        .. Faults.Unless(
            Shares is null || Shares.All(s => s is > 0 and < double.PositiveInfinity), $"SSKD's shares must be above 0; were [{NumberText.Join(Shares ?? [])}]."),
        .. Faults.Unless(
            Shares is null || Pairs is null || Shares.Count == Pairs.Count + 1,
            $"SSKD needs {Pairs?.Count + 1} shares, one for each stage and one for the head; found {Shares?.Count}."),
        .. Faults.Defined("SSKD's reduction", Reduction),
    ];

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        var teacher = context.Teacher ?? throw new InvalidOperationException("SSKD needs a teacher.");
        var pairs = Pairs ?? StagePair.ByResolution(context.Student, teacher.Shapes);
        var epochs = DivideEpochs(context.Epochs, pairs.Count + 1);
        var plan = pairs.Select((pair, k) => $"stage {k + 1} (student tap {pair.StudentTap} from teacher tap {pair.TeacherTap}) {epochs[k]}");
        context.Note(Invariant($"SSKD divides {context.Epochs} epochs: {string.Join(", ", plan)}, head {epochs[^1]}."));
        for (var k = 0; k < pairs.Count; k++)
        {
            var loss = new StageFeatureLoss(pairs[k].StudentTap, pairs[k].TeacherTap, Reduction);
            yield return context.Stage($"{Name} stage {k + 1}", loss) with
            {
                Epochs = epochs[k],
                Trains = new NetworkPart(k == 0 ? null : pairs[k - 1].StudentTap, pairs[k].StudentTap),
            };
        }

        yield return context.Stage($"{Name} head", HeadLoss ?? context.LabelLoss) with
        {
            Epochs = epochs[^1],
            Trains = TrainBackboneWithHead ? NetworkPart.Whole : new NetworkPart(pairs[^1].StudentTap, null),
        };
    }

    /// <summary>Divides the epochs by the shares; each part ends at the rounded running sum of the shares.</summary>
    private int[] DivideEpochs(int epochs, int parts)
    {
        var shares = Shares ?? [.. Enumerable.Repeat(1.0, parts)];
        if (shares.Count != parts)
            throw new InvalidOperationException($"SSKD needs {parts} shares, one for each stage and one for the head; found {shares.Count}.");
        var (sum, running, used) = (shares.Sum(), 0.0, 0);
        var budget = new int[parts];
        for (var i = 0; i < parts; i++)
        {
            running += shares[i];
            budget[i] = (int)Math.Round(epochs * running / sum) - used;
            used += budget[i];
        }

        return budget.All(e => e >= 1) ? budget : throw new InvalidOperationException(
            $"SSKD needs at least one epoch for each stage and for the head; of {NumberText.Count(epochs, "epoch")} they would have {string.Join(", ", budget)}. " +
            "Train longer or set other shares.");
    }
}

using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill.Methods;

/// <summary>
/// Route-constrained optimisation (Jin et al., ICCV 2019): for the anchors C_1 … C_n, which are checkpoints from the training of the teacher, in order, minimise the loss
/// of the inner method with teacher C_i, starting from the student of C_(i-1).
/// </summary>
internal sealed record RcoMethod(DistillationMethod Inner, AnchorSelection Selection, RcoSchedule Schedule) : DistillationMethod
{
    public override string Name => Inner is KdMethod ? "RCO" : $"RCO×{Inner.Name}";

    public override ModelOutputs TeacherNeeds => Inner.TeacherNeeds;

    public override bool CanUseWeights => Inner.CanUseWeights;

    public override bool NeedsHardLabels => Inner.NeedsHardLabels;

    public override bool NeedsRoute => true;

    public override bool NeedsHeldOutRows => Selection.NeedsHeldOutRows || Inner.NeedsHeldOutRows;

    public override bool HasSeveralPhases => Schedule == RcoSchedule.Restart;

    internal override bool NeedsLastLayer => Inner.NeedsLastLayer;

    public override bool TrainsTeacher => Inner.TrainsTeacher;

    internal override bool MayDrawFromTorch => Inner.MayDrawFromTorch;

    internal override DistillationMethod WithDefaults(KdDefaults defaults) => this with { Inner = Inner.WithDefaults(defaults) };

    public override IEnumerable<string> Validate()
    {
        if (Inner is RcoMethod)
            yield return "The method inside RCO must not be RCO itself.";
        else if (Inner.NeedsRoute)
            yield return $"The method inside RCO learns from one anchor at a time, and {Inner.Name} needs a route itself.";
        if (Inner.TeacherNeeds == ModelOutputs.None)
            yield return $"The method inside RCO must ask its teacher about the rows; {Inner.Name} does not.";
        if (Schedule == RcoSchedule.OneStage && Selection.NeedsHeldOutRows)
            yield return $"The anchor selection {Selection} depends on the student after each anchor's training, which RcoSchedule.OneStage does not have; use RcoSchedule.Restart.";
        if (Schedule == RcoSchedule.OneStage && Inner.HasSeveralPhases)
            yield return $"RcoSchedule.OneStage cannot switch anchors inside {Inner.Name}, which has several stages itself; use RcoSchedule.Restart.";
        if (Schedule == RcoSchedule.OneStage && Inner.NeedsLastLayer)
            yield return $"RcoSchedule.OneStage switches anchors inside a stage, and {Inner.Name} keeps the last layer of one teacher; use RcoSchedule.Restart.";
        if (Schedule == RcoSchedule.OneStage && Inner.TrainsTeacher)
            yield return $"RcoSchedule.OneStage cannot switch anchors inside {Inner.Name}, which trains a copy of its teacher; use RcoSchedule.Restart.";
        foreach (var fault in Faults.Defined("RCO's schedule", Schedule).Concat(Inner.Validate()).Concat(Selection.Validate()))
            yield return fault;
    }

    public override IEnumerable<TrainingPhase> Phases(MethodContext context) => Schedule == RcoSchedule.OneStage ? [CreateSwitchingStage(context)] : CreateRestartPhases(context);

    private IEnumerable<TrainingPhase> CreateRestartPhases(MethodContext context)
    {
        if (context.Anchors.Count == 1)
            context.Note($"{Name}: the route has a single anchor, {context.Anchors[0].Label}, so this is {Inner.Name}.");
        foreach (var i in Selection.ChooseChecked(context))
        {
            var anchor = context.Anchors[i];
            context.Note($"{Name}: training on anchor {i + 1} of {context.Anchors.Count}, {anchor.Label}, for {NumberText.Count(context.Epochs, "epoch")}.");
            foreach (var phase in Inner.Phases(context with { Anchors = [anchor] }))
                yield return phase with { Name = $"{phase.Name}, {anchor.Label}" };
        }
    }

    private Stage CreateSwitchingStage(MethodContext context)
    {
        Anchor[] anchors = [.. Selection.ChooseChecked(context).Select(i => context.Anchors[i])];
        if (anchors.Length > context.Epochs)
        {
            throw new InvalidOperationException(
                $"One run of {NumberText.Count(context.Epochs, "epoch")} is too short for {anchors.Length} anchors: each needs an epoch. Train longer or choose fewer anchors.");
        }

        var teacher = new SwitchingTeacher(anchors, context.Epochs);
        var stage = GetOnlyStage(context with { Anchors = [new Anchor("route", 1, teacher)] });
        foreach (var anchor in anchors)
            CheckSameShapes(anchor, anchors[^1], stage.Loss.TeacherNeeds);
        for (var i = 0; i < anchors.Length; i++)
            context.Note($"From epoch {NumberText.Join([teacher.FirstEpochOf(i)])} on the anchor is {anchors[i].Label}.");
        return stage with { Name = $"{Name}, one stage", JudgedFrom = teacher.FirstEpochOf(anchors.Length - 1) };
    }

    /// <summary>The only phase of the inner method. A user-defined method may have several phases although its HasSeveralPhases is false.</summary>
    private Stage GetOnlyStage(MethodContext context)
    {
        TrainingPhase[] phases = [.. Inner.Phases(context).Take(2)];
        return phases switch
        {
            [Stage stage] => stage,
            [var other] => throw new InvalidOperationException(
                $"RcoSchedule.OneStage switches anchors inside a stage, but the phase '{other.Name}' of {Inner.Name} is not a stage; use RcoSchedule.Restart."),
            [] => throw new InvalidOperationException($"{Name}: the method inside, {Inner.Name}, returns no phase, so nothing would be trained."),
            _ => throw new InvalidOperationException(
                $"RcoSchedule.OneStage cannot switch anchors inside {Inner.Name}, which has several stages itself ('{phases[0].Name}', '{phases[1].Name}', …); " +
                "use RcoSchedule.Restart."),
        };
    }

    /// <summary>Checks that two anchors have the same output shapes, because projections are created once for a stage.</summary>
    private static void CheckSameShapes(Anchor anchor, Anchor last, ModelOutputs needs)
    {
        if (Describe(anchor.Teacher.Shapes, needs) == Describe(last.Teacher.Shapes, needs))
            return;
        throw new InvalidOperationException(
            $"RcoSchedule.OneStage changes the teacher within a stage, so all anchors must have the same shapes of the outputs that the loss reads: '{anchor.Label}' gives " +
            $"{Describe(anchor.Teacher.Shapes, needs)}, '{last.Label}' {Describe(last.Teacher.Shapes, needs)}. Use RcoSchedule.Restart.");
    }

    private static string Describe(OutputShapes shapes, ModelOutputs needs)
    {
        var parts = new List<string>();
        if (needs.HasFlag(ModelOutputs.Logits))
            parts.Add($"{shapes.LogitCount} logits");
        if (needs.HasFlag(ModelOutputs.Embedding))
            parts.Add(shapes.EmbeddingLength is { } length ? $"embeddings of {length}" : "no embeddings");
        if (needs.HasFlag(ModelOutputs.StageFeatures))
            parts.Add($"stage features [{string.Join("], [", shapes.StageFeatures.Select(f => string.Join(", ", f)))}]");
        return string.Join(", ", parts);
    }
}

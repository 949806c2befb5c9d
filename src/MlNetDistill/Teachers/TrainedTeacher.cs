using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

internal sealed class TrainedTeacher(NetworkSpec spec, int? epochs, Optimizer? optimizer, LearningRateSchedule? schedule) : Teacher
{
    public NetworkSpec Spec => spec;

    internal override IEnumerable<string> Faults()
    {
        if (epochs is < 1)
            yield return $"The teacher's epochs must be at least 1; was {epochs}.";
        foreach (var fault in spec.Faults().Concat(optimizer?.Faults() ?? []).Concat(schedule?.Faults() ?? []))
            yield return $"Teacher: {fault}";
    }

    internal override TeacherAnswer Ask(TeacherQuestion question)
    {
        var options = question.Options;
        var context = new MethodContext(
            null, new ShuffledSampler(options.BatchSize), epochs ?? options.Epochs, optimizer ?? options.Optimizer, schedule ?? options.Schedule);
        var stages = DistillationMethod.LabelsOnly().Stages(context).Select(stage => stage with { Name = "teacher" });
        var network = question.TrainNetwork("teacher", spec, stages);
        using var scope = NewDisposeScope();
        var all = Arithmetic.UpTo(question.Set.Count, question.Device);
        var logits = Scoring.Logits(network, question.Set, all).cpu().DetachFromDisposeScope();
        return new TeacherAnswer(new TeacherRecord(question.Set.RowIds, logits), null, network);
    }
}

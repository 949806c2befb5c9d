using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

internal sealed class TrainedTeacher(NetworkSpec spec, int? epochs, Optimizer? optimizer, LearningRateSchedule? schedule) : Teacher
{
    /// <summary>What its training is called in logs and progress.</summary>
    public const string Role = "teacher";

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
        var stages = DistillationMethod.LabelsOnly().Stages(context).Select(stage => stage with { Name = Role });
        var network = question.TrainNetwork(Role, spec, stages);
        try
        {
            using var scope = NewDisposeScope();
            var all = Arithmetic.UpTo(question.Set.Count, question.Device);
            var logits = Scoring.Logits(network, question.Set, all, options.BatchSize).cpu().DetachFromDisposeScope();
            return new TeacherAnswer(new TeacherRecord(question.Set.RowIds, logits), null, network);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }
}

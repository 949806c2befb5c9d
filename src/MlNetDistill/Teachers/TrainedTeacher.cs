using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

internal sealed class TrainedTeacher(NetworkSpec spec, int? epochs, Optimizer? optimizer, LearningRateSchedule? schedule) : Teacher
{
    /// <summary>What its training is called in logs and progress.</summary>
    public const string Role = "teacher";

    internal override bool SeesViews => true;

    internal override OutputKinds CanProvide => NetworkKinds;

    internal override IEnumerable<NetworkSpec> TrainedNetworks => [spec];

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
        var network = question.Networks.Train(new TrainingPlan(
            Role, spec, DistillationMethod.LabelsOnly(), [], epochs ?? options.Epochs, optimizer ?? options.Optimizer, schedule ?? options.Schedule));
        return new TeacherAnswer([new Anchor(Role, 1, new NetworkTeacher(network, options.BatchSize))], null, network, spec) { Owned = [network] };
    }
}

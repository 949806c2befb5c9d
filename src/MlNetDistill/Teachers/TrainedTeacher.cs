using MlNetDistill.Networks;


namespace MlNetDistill.Teachers;

internal sealed class TrainedTeacher(NetworkTraining training) : Teacher
{
    /// <summary>What its training is called in logs and progress.</summary>
    public const string Role = "teacher";

    internal override bool SeesViews => true;

    internal override bool NeedsLabels => true;

    internal override OutputKinds CanProvide => NetworkKinds;

    internal override IEnumerable<NetworkSpec> TrainedNetworks => [training.Spec];

    internal override IEnumerable<string> Faults() => training.Faults("teacher");

    internal override TeacherAnswer Ask(TeacherQuestion question)
    {
        var network = question.Networks.Train(training.Plan(question.Options) with { Role = question.Role });
        var anchor = new Anchor(Role, 1, new NetworkTeacher(network, question.Recording.ForThisRun()));
        return new TeacherAnswer([anchor], null, network, training.Spec) { Owned = [network] };
    }
}

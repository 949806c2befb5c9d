using MlNetDistill.Networks;


namespace MlNetDistill.Teachers;

internal sealed class TrainedTeacher(NetworkTraining training) : Teacher
{
    /// <summary>What its training is called in logs and progress.</summary>
    public const string Role = "teacher";

    internal override bool SupportsAugmentation => true;

    internal override bool NeedsLabels => true;

    internal override ModelOutputs CanProvide => NetworkKinds;

    internal override IEnumerable<NetworkSpec> TrainedNetworks => [training.Spec];

    internal override IEnumerable<string> Validate() => training.Validate("teacher");

    internal override PreparedTeacher Ask(TeacherRequest question)
    {
        var network = question.Networks.Train(training.Plan(question.Options) with { Role = question.Role });
        var anchor = new Anchor(Role, 1, new NetworkTeacher(network, question.TeacherCaching.WithoutFolder()));
        return new PreparedTeacher([anchor], null, network, training.Spec) { Owned = [network] };
    }
}

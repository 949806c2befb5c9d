using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

internal sealed class TrainedTeacher(NetworkTraining training) : Teacher
{
    /// <summary>The name of its training in logs and progress.</summary>
    public const string Role = "teacher";

    internal override bool SupportsAugmentation => true;

    internal override bool CanBeTrained => true;

    internal override SeenRows Seen => SeenRows.Training;

    internal override bool NeedsLabels => true;

    internal override ModelOutputs CanProvide => NetworkKinds;

    internal override bool ShowsLastLayer => true;

    internal override IEnumerable<NetworkSpec> TrainedNetworks => [training.Spec];

    internal override IEnumerable<string> Settings => [training.Describe()];

    internal override IEnumerable<string> Validate() => training.Validate("teacher");

    internal override PreparedTeacher PrepareForFit(TeacherRequest request)
    {
        var network = request.Networks.Train(training.CreatePlan(request.Options) with { Role = request.Role, CheckpointName = request.CheckpointName });
        var anchor = new Anchor(Role, 1, new NetworkTeacher(network, request.TeacherCaching.WithoutFolder())
        {
            BuildSame = () => request.Networks.BuildOnDevice(training.Spec, NetworkTraining.CopyPurpose),
        });
        return new PreparedTeacher([anchor], null, network, training.Spec) { Owned = [network] };
    }
}

using MlNetDistill.Data;
using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

/// <summary>Stands for a teacher that does not exist yet: it has the shapes of the outputs, and no outputs.</summary>
internal sealed class PlannedTeacher(OutputShapes shapes, bool supportsAugmentation, bool canBeTrained) : StageTeacher
{
    public override OutputShapes Shapes => shapes;

    public override bool SupportsAugmentation => supportsAugmentation;

    internal override bool CanBeTrained => canBeTrained;

    public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted) => throw new InvalidOperationException(
        "A method's Phases are enumerated once before there is a teacher, to find what cannot work, and this one queries the teacher there. Query it in a loss.");
}

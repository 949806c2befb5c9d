using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill.Tests;

/// <summary>A teacher of stated shapes for plans that are looked at and never run.</summary>
internal sealed class PlannedTeacher(int classes, int? embedding = null, params long[][] stageFeatures) : StageTeacher
{
    public override OutputShapes Shapes => new(classes, embedding, stageFeatures);

    public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted) => throw new InvalidOperationException("A plan asks no teacher.");
}

using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Schema;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Everything a teacher may need to answer for the rows of a fit.</summary>
internal sealed record TeacherQuestion(
    MLContext Context,
    IChannel Channel,
    IDataView Data,
    TrainerColumns Columns,
    TrainingSet Set,
    DistillationOptions Options,
    Seeds Seeds,
    Device Device,
    FitNetworks Networks);

/// <summary>A network to train in a fit: the teacher or the student.</summary>
/// <param name="Role">What it is called in logs, and what its draws are seeded with.</param>
/// <param name="Spec">The network.</param>
/// <param name="Method">How it learns.</param>
/// <param name="Anchors">From whom.</param>
/// <param name="Epochs">Epochs asked for.</param>
/// <param name="Optimizer">The optimiser asked for.</param>
/// <param name="Schedule">The schedule asked for.</param>
internal sealed record TrainingPlan(
    string Role, NetworkSpec Spec, DistillationMethod Method, IReadOnlyList<Anchor> Anchors, int Epochs, Optimizer Optimizer, LearningRateSchedule Schedule)
{
    /// <summary>Called after every epoch of the run, from 1.</summary>
    public Action<int, Network> AfterEpoch { get; init; } = (_, _) => { };
}

/// <summary>
/// The anchors that answer for the rows of a fit (one, but for a route), and the last one as an ML.NET model: the model that was given or fitted
/// (null where several were, one for each fold), or the network that was trained and is yet to be exported.
/// </summary>
internal sealed record TeacherAnswer(IReadOnlyList<Anchor> Anchors, ITransformer? Model, Network? Network = null, NetworkSpec? NetworkSpec = null) : IDisposable
{
    public StageTeacher Teacher => Anchors[^1].Teacher;

    /// <summary>What else is disposed with the answer.</summary>
    public IReadOnlyList<IDisposable> Owned { get; init; } = [];

    /// <summary>The answer of a teacher that was asked for every row; disposes the record.</summary>
    public static TeacherAnswer OfRecord(TeacherRecord record, ITransformer? model, TeacherQuestion question)
    {
        using (record)
            return new TeacherAnswer([new Anchor("teacher", 1, new RecordedTeacher(record, question.Set, question.Device))], model);
    }

    public void Dispose()
    {
        foreach (var anchor in Anchors)
            (anchor.Teacher as IDisposable)?.Dispose();
        foreach (var owned in Owned)
            owned.Dispose();
    }
}

/// <summary>Where a model's class scores are.</summary>
internal sealed record ScoreColumn(string Name, ScoreKind Kind, IReadOnlyList<string>? ClassNames)
{
    public IEnumerable<string> Faults()
    {
        if (string.IsNullOrWhiteSpace(Name))
            yield return "The teacher's scoreColumnName must be a column name; was empty.";
    }

    /// <summary>Runs a model over a view and reads its scores for the rows that are in the training set.</summary>
    /// <param name="model">The teacher.</param>
    /// <param name="data">The view.</param>
    /// <param name="question">What the teacher is asked.</param>
    /// <param name="place">What messages say after a row number, where the view is only a part of the data.</param>
    /// <exception cref="InvalidOperationException">The score column is missing, of the wrong type, or does not fit the student's classes.</exception>
    public TeacherRecord Ask(ITransformer model, IDataView data, TeacherQuestion question, string place = "")
    {
        var scored = model.Transform(data);
        var column = scored.Schema.GetColumnOrNull(Name) ?? throw new InvalidOperationException(
            $"The teacher gives no column '{Name}'. It gives {string.Join(", ", scored.Schema.Where(c => !c.IsHidden).Select(c => $"'{c.Name}'"))}; " +
            "name its scores with scoreColumnName.");
        if (column.Type is not VectorDataViewType { Size: > 0 } vector || vector.ItemType != NumberDataViewType.Single)
        {
            throw new InvalidOperationException(
                $"The teacher's column '{Name}' must be a Vector<Single, K> with one score for each class; found {column.Type}. " +
                "A multiclass model gives such a column.");
        }

        var order = ClassAlignment.Order(column, ClassNames, question.Columns.Classes, place);
        var (ids, values) = Seam.TensorReader.ReadVectors(scored, column, question.Options.CancellationToken);
        return new TeacherScores(Name, ids, values, vector.Size, place).ToRecord(Kind, order, question.Set);
    }
}

using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MlNetDistill.Data;
using MlNetDistill.Methods;
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
    Func<string, NetworkSpec, IEnumerable<Stage>, Network> TrainNetwork);

/// <summary>A teacher's logits for the rows of a fit, and the model that gave them (null where several did, one for each fold).</summary>
internal sealed record TeacherAnswer(TeacherRecord Record, ITransformer? Model, Network? Network = null) : IDisposable
{
    public void Dispose()
    {
        Record.Dispose();
        Network?.Dispose();
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

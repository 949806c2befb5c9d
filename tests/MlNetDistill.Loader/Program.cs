using System.Text;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Export;

// Usage: MlNetDistill.Loader MODEL.zip ROWS.idv
// Loads a model, scores the rows of a binary data view and prints a line for each: PredictedLabel, a tab, the bits of Score in hexadecimal.
Console.OutputEncoding = new UTF8Encoding(false);
var mlContext = new MLContext();
var model = OnnxFileName.LoadWithRetry(() => mlContext.Model.Load(args[0], out _));
using var disposable = model as IDisposable;
var scored = model.Transform(mlContext.Data.LoadFromBinary(args[1]));
var labels = scored.GetColumn<string>("PredictedLabel");
var scores = scored.GetColumn<float[]>("Score");
foreach (var (label, score) in labels.Zip(scores))
    Console.WriteLine($"{label}\t{string.Join(' ', score.Select(s => BitConverter.SingleToUInt32Bits(s).ToString("x8")))}");

using Microsoft.ML;
using MlNetDistill.Evaluation;

namespace TextExample.Training;

/// <summary>A row of the table: what a model is good for, and what it costs.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Accuracy">Share of the test messages that it classifies correctly.</param>
/// <param name="Agreement">Share of the test messages for which it predicts the teacher's class; null for the teacher.</param>
/// <param name="ZipBytes">Bytes of the saved pipeline, from the text to the class.</param>
/// <param name="Microseconds">Median time of a message through a <c>PredictionEngine</c>.</param>
internal sealed record Finding(string Name, double Accuracy, double? Agreement, long ZipBytes, double Microseconds);

/// <summary>A student with its measurements.</summary>
internal sealed record Student(ITransformer Model, ModelCost Cost, Finding Finding);
